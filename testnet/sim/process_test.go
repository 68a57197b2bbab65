package sim

import (
	"testing"
	"time"
)

// TestPausesEnd pauses a member, kills it meanwhile, and pauses it again for a shorter time: the first pause is over with
// the first life.
func TestPausesEnd(t *testing.T) {
	w, err := newWorld(&Scenario{Members: 3})
	if err != nil {
		t.Fatal(err)
	}
	p := w.processes[0]
	w.start(p)
	until := func(at time.Duration) {
		for len(w.queue) > 0 && w.queue[0].at <= at {
			w.next()
		}
		w.now = at
	}
	w.pause(p, time.Minute)
	w.pause(p, time.Second)
	until(2 * time.Second)
	if !p.paused {
		t.Error("the shorter pause ended the longer one")
	}
	w.kill(p)
	w.start(p)
	w.pause(p, time.Second)
	until(4 * time.Second)
	if p.paused || !p.alive() {
		t.Error("a pause of an earlier life goes on")
	}
}

// TestDiskFills lets a disk be full when nothing is written, and when something is.
func TestDiskFills(t *testing.T) {
	o := play(t, "members 4\nrounds 3\nat step keys round 1 disk-full 2 for 1ms\nexpect setup train train")
	if len(o.Faults) > 0 {
		t.Error(o.Faults)
	}
	w, err := newWorld(&Scenario{Members: 3})
	if err != nil {
		t.Fatal(err)
	}
	p := w.processes[0]
	w.start(p)
	w.fill(p, Do{For: time.Second})
	if !w.stoppedByDisk(p) || p.alive() {
		t.Error("a member that cannot write goes on")
	}
	for w.now < 1100*time.Millisecond {
		w.next()
	}
	if p.full || !p.alive() || p.life != 2 {
		t.Errorf("full %v, life %d; want it to start again when there is space", p.full, p.life)
	}
}
