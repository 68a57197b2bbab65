package federation

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
)

func TestPace(t *testing.T) {
	const most = time.Minute
	for _, tt := range []struct {
		name   string
		seen   func(k int) time.Duration
		number int
		failed uint64
		want   time.Duration
	}{
		{"nothing known", nil, 0, 0, most},
		{"too little known", func(int) time.Duration { return time.Second }, paceEnough - 1, 0, most},
		{"all alike", func(int) time.Duration { return 10 * time.Second }, 20, 0, 10 * time.Second},
		{"never too short", func(int) time.Duration { return time.Millisecond }, 20, 0, paceFloor},
		{"half of them 2 s off the median", func(k int) time.Duration { return time.Duration(8+2*(k%3)) * time.Second }, 21, 0,
			10*time.Second + time.Duration(pacePatience*madToSigma*float64(2*time.Second))},
		{"one outlier counts for nothing", func(k int) time.Duration { return 10*time.Second + time.Duration(k/20)*time.Hour }, 21, 0, 10 * time.Second},
		{"doubled once", func(int) time.Duration { return 10 * time.Second }, 20, 1, 20 * time.Second},
		{"never above the rules' time", func(int) time.Duration { return 10 * time.Second }, 20, 60, most},
		{"old arrivals are forgotten", func(k int) time.Duration { return time.Duration(max(1, 50-k)) * 10 * time.Second }, 50 + paceWindow, 0, 10 * time.Second},
	} {
		p := newPace()
		for k := range tt.number {
			p.note(typeKeys, tt.seen(k))
		}
		if got := p.deadline(typeKeys, most, tt.failed); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestDeadCoordinator lets members get used to each other, and then kills the coordinator of a round when it is about to speak, at
// each of its turns: the others lose one deadline that fits the network, far less than the rules allow.
func TestDeadCoordinator(t *testing.T) {
	t.Parallel()
	slowRules := func(g *ledger.Genesis) {
		g.Rules.JoinGrace, g.Rules.StepTimeout, g.Rules.MaskTimeout = 10*time.Minute, time.Minute, 10*time.Minute
	}
	for _, kind := range []string{typeJoin, typeRoster, typeSurvivors, typeFinal} {
		c := newCluster(t, 4, 24, 1)
		slowRules(c.genesis)
		var calm, hit time.Duration
		c.doom = func(n *node, a Action) bool {
			r := n.machine.r
			if r == nil || r.number != 22 || n.machine.coordinator(0) != n.index || !says(c, n, a, kind) {
				return false
			}
			calm = c.now
			return true
		}
		c.run(8 * time.Hour)
		if testing.Verbose() {
			for _, line := range c.audit.story {
				if strings.Contains(line, " round 22:") || strings.Contains(line, " round 23:") {
					t.Log(line)
				}
			}
		}
		hit = c.now - calm
		if calm == 0 || hit > 30*time.Second {
			t.Errorf("%s: the coordinator died at %v and the others needed %v for that round and the next", kind, calm, hit)
		}
		if got := c.kinds()[22:]; slices.Contains(got, "void") {
			t.Errorf("%s: rounds %v", kind, got)
		}
		t.Logf("%s: %v until two rounds were done", kind, hit)
	}
}
