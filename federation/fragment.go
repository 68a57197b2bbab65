package federation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/federation/ledger"
)

// With the rule fragments, a training round sums one of k fragments of the trunk, and the heads in full (Douillard et al. 2025, Streaming
// DiLoCo). Heads are short, and a member that missed the turn of a head would wait k rounds for the next.
//
// A fragment is a stretch of all the trunk's slices in the order of their names. It ends at the end of a slice if one is near, and within
// a slice otherwise. Fragments take turns in training rounds; the turn of a round that ended void is taken again by the next.

// snap is how far from its even place a boundary may be moved to the end of a slice, in parts of a fragment: two ends make 5 %.
const snap = 40

// Divide returns the layout with the slices of the trunk cut so that none lies in two fragments. It follows from names and lengths
// alone, in whatever order slices come. Up to 1 fragment, the layout stays as it is.
func (l *Layout) Divide(fragments int) (*Layout, error) {
	if fragments <= 1 {
		return l, nil
	}
	trunk := slices.SortedFunc(slices.Values(l.groups[ledger.TrunkGroup]), func(a, b Slice) int { return strings.Compare(a.Name, b.Name) })
	total := l.Len(ledger.TrunkGroup)
	if total < fragments {
		return nil, fmt.Errorf("layout: the trunk has %d numbers, too few for %d fragments: make the genesis again with fewer", total, fragments)
	}
	divided := &Layout{groups: map[string][]Slice{}, fragments: cut(trunk, bounds(trunk, total, fragments))}
	for group, list := range l.groups {
		divided.groups[group] = list
	}
	divided.groups[ledger.TrunkGroup] = slices.Concat(divided.fragments...)
	names := map[string]bool{}
	for _, s := range divided.groups[ledger.TrunkGroup] {
		if names[s.Name] {
			return nil, fmt.Errorf("layout: two slices of the trunk are named %q: rename the tensor in the genesis weights", s.Name)
		}
		names[s.Name] = true
	}
	return divided, nil
}

// bounds says where each fragment ends, counted through all numbers of the slices.
func bounds(trunk []Slice, total, fragments int) (ends []int) {
	next, end := 0, 0 // slice, and where the one before it ends
	for f := 1; f <= fragments; f++ {
		even := f * total / fragments
		for next < len(trunk) && end+trunk[next].Len <= even {
			end += trunk[next].Len
			next++
		}
		nearest := end
		if next < len(trunk) && end+trunk[next].Len-even < even-end {
			nearest = end + trunk[next].Len
		}
		if far := nearest - even; max(far, -far) > total/fragments/snap {
			nearest = even
		}
		ends = append(ends, nearest)
	}
	return ends
}

// cut divides slices at the ends of fragments. A piece of a slice is named by the slice and the piece's first number in the tensor.
func cut(trunk []Slice, ends []int) [][]Slice {
	fragments := make([][]Slice, len(ends))
	f, at := 0, 0
	for _, s := range trunk {
		whole := s.Len
		for s.Len > 0 {
			piece := s
			piece.Len = min(s.Len, ends[f]-at)
			if piece.Len < whole {
				piece.Name = fmt.Sprintf("%s@%d", s.Name, s.From)
			}
			if piece.Len > 0 {
				fragments[f] = append(fragments[f], piece)
			}
			s.From, s.Len, at = s.From+piece.Len, s.Len-piece.Len, at+piece.Len
			if at == ends[f] && f < len(ends)-1 {
				f++
			}
		}
	}
	return fragments
}

// Turn returns the layout of a training round before which that many were certified: of a divided layout the heads and one fragment.
func (l *Layout) Turn(trained uint64) *Layout {
	if l.fragments == nil {
		return l
	}
	turn := &Layout{groups: map[string][]Slice{}, fragment: int(trained % uint64(len(l.fragments)))}
	for group, list := range l.groups {
		turn.groups[group] = list
	}
	turn.groups[ledger.TrunkGroup] = l.fragments[turn.fragment]
	return turn
}

// feedbackLen is the length of the error feedback of that name, of a layout that may be divided.
func (l *Layout) feedbackLen(name string) (n int) {
	for f, fragment := range l.fragments {
		if (&Layout{fragment: f}).feedback(ledger.TrunkGroup) == name {
			for _, s := range fragment {
				n += s.Len
			}
			return n
		}
	}
	return l.Len(name)
}

// feedback names the error feedback of a group's sum: every fragment has its own.
func (l *Layout) feedback(group string) string {
	if group == ledger.TrunkGroup && l.fragment > 0 {
		return fmt.Sprintf("%s/%d", group, l.fragment)
	}
	return group
}
