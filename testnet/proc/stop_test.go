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
		{"one member runs twice", false, runTwice},
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
// help, for it is in the folder. At least one of the two must notice and halt; the others go on without harm.
func runTwice(f *cluster) int {
	m := f.members[3]
	clone := &member{f: f, name: m.name + "-clone", dir: filepath.Join(f.dir, m.name+"-clone"), program: m.program, group: m.group}
	for _, o := range f.others(m) {
		o.start()
	}
	m.start()
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
	f.until("one of two processes with the same keys to halt", func() bool { return m.isDead() || clone.isDead() })
	halted := m
	if clone.isDead() {
		halted = clone
	}
	if err := halted.process.Err(); err == nil || !strings.Contains(err.Error(), "another process signs with this member's key") {
		f.Errorf("%s ended with %v, want the reason", halted.name, err)
	}
	f.reach(f.newest()+2, f.others(m)...)
	clone.process.Stop()
	return 2
}
