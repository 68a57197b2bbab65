package sim

import (
	"container/heap"
	"slices"
	"testing"
	"time"
)

// wire is a world of three members of which only the links are looked at.
func wire(t *testing.T) *World {
	t.Helper()
	w, err := newWorld(&Scenario{Members: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range w.processes[:2] {
		w.start(p)
	}
	w.queue = nil
	return w
}

// arrivals runs the queue and returns when something happened.
func arrivals(w *World) (at []time.Duration) {
	for len(w.queue) > 0 {
		j := heap.Pop(&w.queue).(job)
		at = append(at, j.at)
	}
	return at
}

func TestLinkRules(t *testing.T) {
	const n = 2000
	ms := func(n int) *Span { d := time.Duration(n) * time.Millisecond; return &Span{d, d} }
	for _, tt := range []struct {
		name  string
		rule  LinkRule
		check func(at []time.Duration) bool
	}{
		{"latency", LinkRule{Latency: ms(7)}, func(at []time.Duration) bool { return len(at) == n && at[0] == 7*time.Millisecond && at[n-1] == at[0] }},
		{"bandwidth", LinkRule{Latency: ms(0), Bandwidth: value(1000)}, func(at []time.Duration) bool { // 100 bytes each
			return at[0] == 100*time.Millisecond && at[n-1] == n*100*time.Millisecond
		}},
		{"loss", LinkRule{Loss: value(25)}, func(at []time.Duration) bool { return len(at) > n*70/100 && len(at) < n*80/100 }},
		{"duplicates", LinkRule{Duplicate: value(50)}, func(at []time.Duration) bool { return len(at) > n*145/100 && len(at) < n*155/100 }},
		{"replays", LinkRule{Replay: value(30)}, func(at []time.Duration) bool { return len(at) > n*125/100 && len(at) < n*135/100 }},
		{"a line in one direction", LinkRule{From: Members{1}, To: Members{0}, Loss: value(100)}, func(at []time.Duration) bool { return len(at) == n }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := wire(t)
			w.setLinks(&tt.rule)
			for range n {
				w.post(w.processes[0], w.processes[1], make([]byte, 100), 0)
			}
			if at := arrivals(w); !tt.check(at) {
				t.Errorf("%d arrivals, from %v to %v", len(at), at[0], at[len(at)-1])
			}
		})
	}
}

// order sends numbered envelopes and returns the numbers in the order of their arrival.
func order(w *World) (got []int) {
	for k := range 200 {
		w.post(w.processes[0], w.processes[1], []byte{byte(k)}, 0)
		newest := slices.IndexFunc(w.queue, func(x job) bool { return x.serial == w.serial })
		w.queue[newest].do = func() { got = append(got, k) }
		w.now += time.Millisecond
	}
	for len(w.queue) > 0 {
		w.next()
	}
	return got
}

func TestLinkOrder(t *testing.T) {
	w := wire(t)
	if got := order(w); len(got) != 200 || !slices.IsSorted(got) {
		t.Errorf("%d envelopes arrived in another order than they were sent in: %v", len(got), got)
	}
	w = wire(t)
	w.setLinks(&LinkRule{Reorder: value(30)})
	if got := order(w); len(got) != 200 || slices.IsSorted(got) {
		t.Errorf("%d envelopes arrived in order, want some to overtake", len(got))
	}
}

func TestCutAndHold(t *testing.T) {
	for _, tt := range []struct {
		how     Verb
		arrived int // after the heal
	}{{Cut, 0}, {Hold, 3}} {
		w := wire(t)
		a, b := w.processes[0], w.processes[1]
		w.block(tt.how, []Members{{0}, {1, 2}})
		for range 3 {
			w.post(a, b, []byte("x"), 0)
		}
		for len(w.queue) > 0 {
			w.next()
		}
		if held := len(w.links[0][1].held); held != tt.arrived {
			t.Errorf("%s: %d envelopes wait, want %d", tt.how, held, tt.arrived)
		}
		if w.links[1][2].blocked != "" || w.links[1][0].blocked != tt.how {
			t.Errorf("%s: links within a side are blocked, or those between sides are not", tt.how)
		}
		w.heal()
		if w.links[1][0].blocked != "" || len(w.links[0][1].held) > 0 || len(w.queue) < tt.arrived {
			t.Errorf("%s: after the heal %d deliveries are due, want %d", tt.how, len(w.queue), tt.arrived)
		}
	}
}

// TestUnsentDiesWithSender kills a sender whose line is slow: what had not left is lost.
func TestUnsentDiesWithSender(t *testing.T) {
	w := wire(t)
	a, b := w.processes[0], w.processes[1]
	w.setLinks(&LinkRule{Latency: &Span{time.Second, time.Second}, Bandwidth: value(1000)})
	for range 10 {
		w.post(a, b, make([]byte, 100), 0) // leave at 100 ms, 200 ms, ...
	}
	life := a.life
	w.now = 450 * time.Millisecond
	w.kill(a)
	left := 0
	for k := range 10 {
		if a.lived(life, time.Duration(k+1)*100*time.Millisecond) {
			left++
		}
	}
	if left != 4 {
		t.Errorf("%d envelopes have left, want 4", left)
	}
}
