package federation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestUpperEndLies has M3 hide its length in the mask that it shares with M1, who is honest and opens the pair: M3 is named by all in the same
// round. The controls: when what M1 opens does not arrive, M3 is not named, and the sum passes; when nobody lies, nothing is opened.
func TestUpperEndLies(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{32, 16} {
		t.Run(fmt.Sprintf("%d bits", bits), func(t *testing.T) {
			x := newFalseReport(t, bits, map[int][]int{3: {1}})
			x.long = longer(3, 1, 400)
			want := judgement{shunned: []int{3}, named: []int{3}, opened: [][2]int{{1, 3}}, kind: "void"}
			x.want(want)
			x.replays(t, want, "")
			if list := x.record(2).Groups[0].Survivors; slices.Contains(list, 3) || len(list) != 6 {
				t.Errorf("the next round sums members %v, want all but 3", list)
			}
		})
	}
	t.Run("not settled", func(t *testing.T) {
		x := newFalseReport(t, 32, map[int][]int{3: {1}})
		x.long = flat
		x.doom = func(n *node, a Action) bool {
			n.revive = 100 * time.Millisecond
			return n.index == 1 && n.life == 1 && says(x.cluster, n, a, typeOpenPair)
		}
		x.want(judgement{barred: []int{1, 3}, kind: "train"})
	})
	t.Run("short all the same", func(t *testing.T) {
		x := newFalseReport(t, 32, map[int][]int{3: {0, 1, 6}})
		want := judgement{shunned: []int{3}, opened: [][2]int{{0, 3}, {1, 3}}, kind: "train"}
		x.want(want)
		x.replays(t, want, "")
	})
	t.Run("nobody lies", func(t *testing.T) {
		x := newFalseReport(t, 32, map[int][]int{3: {}})
		x.long = flat
		x.want(judgement{shunned: []int{3}, named: []int{3}, kind: "void"})
	})
}

// TestLowerEndLies has M3 hide its length in the mask that it shares with M5, who is honest. What M3 opens, it cannot open well; when it opens
// nothing there is no proof, and both are left out of the next round.
func TestLowerEndLies(t *testing.T) {
	t.Parallel()
	pair := [2]int{3, 5}
	caught := judgement{shunned: []int{3}, named: []int{3}, opened: [][2]int{pair}, kind: "void"}
	for _, tt := range []struct {
		name  string
		open  func(x *falseReport) []byte
		want  judgement
		first string // what a replay finds wrong first
	}{
		{"opens the seed", func(x *falseReport) []byte { return encodePairSeed(x.seeds[pair]) }, caught, ""},
		{"opens the seed of another pair", func(x *falseReport) []byte { return encodePairSeed(x.seeds[[2]int{3, 6}]) }, caught, ""},
		{"opens half a seed", func(x *falseReport) []byte { return encodePairSeed(x.seeds[pair])[:33] }, caught, "open-pair of M3, attempt 0: malformed body"},
		{"opens nothing", func(*falseReport) []byte { return nil }, judgement{barred: pair[:], kind: "train"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newFalseReport(t, 32, map[int][]int{3: {5}})
			x.long = flat
			x.open = func(_, _ int, honest []byte) []byte {
				if honest != nil {
					t.Error("a member opened a pair that does not quarrel, as it knows")
				}
				return tt.open(x)
			}
			x.want(tt.want)
			x.replays(t, tt.want, tt.first)
		})
	}
}

// TestBothEndsLie has M3 and M5 lie about their mask: alike, which is no quarrel and only moves the length of M3 to M5, whether M3 opens the
// pair all the same or not; or each for itself.
func TestBothEndsLie(t *testing.T) {
	t.Parallel()
	for _, opens := range []bool{false, true} {
		x := newFalseReport(t, 32, map[int][]int{3: {5}, 5: {3}})
		x.long, x.alike = func(n int, c Contribution) {
			if n == 3 {
				flat(n, c)
			}
		}, true
		want := judgement{shunned: []int{5}, named: []int{5}, kind: "void"}
		x.open = func(_, _ int, honest []byte) []byte {
			if opens {
				return honest
			}
			return nil
		}
		if opens {
			want.opened = [][2]int{{3, 5}}
		}
		x.want(want)
	}
	apart := newFalseReport(t, 32, map[int][]int{3: {5}, 5: {3}})
	want := judgement{shunned: []int{3, 5}, opened: [][2]int{{3, 5}}, kind: "train"}
	apart.want(want)
	apart.replays(t, want, "")
}

// replays replays round 1 from what every honest member kept: who lied is to blame, and nobody else.
func (x *falseReport) replays(t *testing.T, want judgement, first string) {
	t.Helper()
	for i, n := range x.nodes {
		if x.gang[i] || n.archives[1] == nil {
			continue
		}
		report := replayed(t, x.replayConfig(1, i))
		blamed := map[string]bool{}
		for _, b := range report.Blame {
			blamed[b.Member] = true
		}
		for k, m := range x.genesis.Members {
			if blamed[m.Name] != slices.Contains(want.shunned, k) {
				t.Errorf("as M%d has it, %s is blamed: %v", i, m.Name, blamed[m.Name])
			}
		}
		text := report.text()
		for _, pair := range want.opened {
			if line := fmt.Sprintf("M%d opened the mask that it shares with M%d", pair[0], pair[1]); !strings.Contains(text, line) {
				t.Errorf("as M%d has it, the story does not say that %s", i, line)
			}
		}
		if len(want.opened) > 0 && !strings.Contains(text, "lied: it ") || report.OK != (first == "") || !strings.Contains(report.First, first) || report.Kind != want.kind {
			t.Errorf("as M%d has it: %s\n%s", i, report.First, text)
		}
	}
}
