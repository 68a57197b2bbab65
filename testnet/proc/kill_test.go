//go:build unix

package proc_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/testnet/manifest"
)

// A scenario injects faults into a running federation and returns how many there were: each may cost one round. What must hold
// afterwards is in judge.
type scenario struct {
	name string
	long bool // only with -faults all
	run  func(f *cluster) (faults int)
}

func runScenarios(t *testing.T, list []scenario) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs processes that train and wait for each other")
	}
	for _, s := range list {
		t.Run(strings.ReplaceAll(s.name, " ", "_"), func(t *testing.T) {
			if s.long && *faultsFlag != "all" {
				t.Skip("only with -faults all")
			}
			f := newCluster(t)
			f.judge(s.run(f))
		})
	}
}

func TestKill(t *testing.T) {
	list := []scenario{
		{"one member at every step", false, killAtEveryStep(0)},
		{"the next member at every step", true, killAtEveryStep(1)},
		{"the member after it at every step", true, killAtEveryStep(2)},
		{"the last member at every step", true, killAtEveryStep(3)},
		{"the coordinator", false, killCoordinator},
	}
	for _, step := range manifest.ProtocolSteps() {
		list = append(list, scenario{"all at once at " + step, step != "unmask", killAllAt(step)})
	}
	runScenarios(t, list)
}

// killAtEveryStep kills a member in each round, one step later and another member each time, and starts it again at once. The first
// is the one with the number first.
func killAtEveryStep(first int) func(f *cluster) int {
	steps := manifest.ProtocolSteps()
	crash := func(i int) string {
		if i >= len(steps) {
			return ""
		}
		return fmt.Sprintf("FEDLAM_CRASH=%s:%d", steps[i], i+1)
	}
	return func(f *cluster) int {
		victim := func(i int) *member { return f.members[(first+i)%len(f.members)] }
		for i := range f.members {
			victim(i).start(crash(i))
		}
		for i := range steps {
			m := victim(i)
			if err := m.died(); err == nil || !strings.Contains(err.Error(), "killed") {
				f.Fatalf("%s ended with %v, want SIGKILL in round %d", m.name, err, i+1)
			}
			m.start(crash(i + len(f.members)))
		}
		f.reach(uint64(len(steps))+2, f.members...)
		return len(steps)
	}
}

// killCoordinator kills who leads a round as soon as the roster is known, and starts it again when the others have gone on.
func killCoordinator(f *cluster) int {
	f.start()
	f.reach(2, f.members...)
	seen := f.members[0].count()
	var line string
	f.until("a coordinator", func() bool {
		text, at := f.members[0].heard("take part, coordinator ", seen)
		line = text
		return at >= 0
	})
	for _, m := range f.members {
		if strings.Contains(line, "coordinator "+m.name) || m == f.members[0] && strings.Contains(line, "coordinator this member") {
			m.process.Kill()
			f.reach(f.newest()+1, f.others(m)...)
			m.start()
			f.reach(f.newest()+1, f.members...)
			return 1
		}
	}
	f.Fatalf("no member is named in %q", line)
	return 0
}

// killAllAt kills every member when it comes to a step of round 2, or shortly after the first did, and starts all again.
func killAllAt(step string) func(f *cluster) int {
	return func(f *cluster) int {
		for _, m := range f.members {
			m.start("FEDLAM_CRASH=" + step + ":2")
		}
		f.until("a first death", func() bool {
			for _, m := range f.members {
				if m.isDead() {
					return true
				}
			}
			return false
		})
		soon, cancel := context.WithTimeout(f.Context(), time.Second)
		defer cancel()
		for _, m := range f.members {
			select {
			case <-m.process.Done():
			case <-soon.Done():
				m.process.Kill()
			}
		}
		for _, m := range f.members {
			if _, cids := f.chain(m); len(cids) > len(f.known) {
				f.known = cids
			}
		}
		f.start()
		f.reach(4, f.members...)
		return len(f.members)
	}
}
