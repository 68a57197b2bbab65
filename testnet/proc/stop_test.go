//go:build unix

package proc_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/home"
)

func TestStop(t *testing.T) {
	runScenarios(t, []scenario{
		{"one member stands still", false, standStill(5 * time.Second)},
		{"one member stands still until its connections are given up", true, standStill(45 * time.Second)},
		{"one member comes back at another address", false, moveHouse},
		{"one member runs twice", false, runTwice(untilLater)},
		{"one member runs twice until it halts", true, runTwice(untilHalted)},
	})
}

// standStill stops a process, which keeps its memory and its sockets, and lets it go on after a time longer than any step takes.
func standStill(long time.Duration) func(f *cluster) int {
	return func(f *cluster) int {
		f.start()
		f.reach(2, f.members...)
		m := f.members[2]
		if err := m.process.Pause(); err != nil {
			f.Fatal(err)
		}
		over := time.NewTimer(long)
		defer over.Stop()
		f.reach(f.newest()+1, f.others(m)...)
		<-over.C
		if err := m.process.Resume(); err != nil {
			f.Fatal(err)
		}
		f.reach(f.newest()+2, f.members...)
		return 1
	}
}

// moveHouse starts a member again at a port that the genesis does not list.
func moveHouse(f *cluster) int {
	f.start()
	f.reach(2, f.members...)
	m := f.members[1]
	m.process.Stop()
	configure(f.T, m.dir, func(c *home.Config) {
		c.Listen = []string{fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(f.T))}
	})
	m.start()
	f.reach(f.newest()+2, f.members...)
	return 1
}

// runTwice copies a member's folder, as the image of a virtual machine is, and starts both at once. The lock of the log is of no
// help, for it is in the folder. The others talk to one of them, which is no harm; as soon as both are heard in one place, there is
// proof, and one halts. The sums of the others are right in both cases.
func runTwice(enough func(f *cluster, m, clone *member)) func(f *cluster) int {
	return func(f *cluster) int {
		m := f.members[3]
		clone := &member{f: f, name: m.name + "-clone", dir: filepath.Join(f.dir, m.name+"-clone"), program: m.program, group: m.group}
		f.start()
		f.reach(2, f.members...)
		m.process.Stop()
		copyTree(f.T, m.dir, clone.dir)
		configure(f.T, clone.dir, func(c *home.Config) {
			c.Listen = []string{fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", freePort(f.T))}
			c.Public.Listen = []string{fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(f.T))}
		})
		f.clones[m] = clone
		m.start()
		clone.start()
		enough(f, m, clone)
		for _, one := range []*member{m, clone} {
			if !one.isDead() {
				continue
			}
			if err := one.process.Err(); err == nil || !strings.Contains(err.Error(), "another process signs with this member's key") {
				f.Errorf("%s ended with %v, want the reason", one.name, err)
			}
		}
		clone.process.Stop()
		return 2
	}
}

func untilLater(f *cluster, m, _ *member) { f.reach(f.newest()+5, f.others(m)...) }

func untilHalted(f *cluster, m, clone *member) {
	f.until("one of two processes with the same keys to halt", func() bool { return m.isDead() || clone.isDead() })
	f.reach(f.newest()+2, f.others(m)...)
}
