package federation

import (
	"fmt"
	"strings"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
)

// A Layout says which numbers of which tensors are summed together, in which order. It follows from the names and shapes
// of the certified weights, the rules, and how many members have each element, so that every member has the same.
type Layout struct {
	groups    map[string][]Slice // by group name
	fragments [][]Slice          // of the trunk, when it is divided; see Divide
	fragment  int                // whose turn it is
}

// A Slice is a stretch of a tensor that is clipped and scaled together: a whole tensor, or one element's row.
type Slice struct {
	Name   string // of the tensor, with "#" and the number of the row where it is one
	Tensor string
	From   int // first number, row-major
	Len    int
}

// fixed are the tensors, by the last part of their name, that training does not move: statistics, references, scales. The
// setup round sets them.
var fixed = map[string]bool{
	"davg": true, "dstd": true, "out_bias": true, "out_std": true, "bias_atom_e": true, "case_embd": true,
	"fparam_avg": true, "fparam_inv_std": true, "aparam_avg": true, "aparam_inv_std": true,
}

// elementRows are the tensors with one row per element of the type map.
const elementRows = "descriptor/type_embedding/embedding/layers/0/@variables/w"

// NewLayout lays out weights for the heads in shared. counts says how many members have each element; the row of
// an element with fewer than least is left out, so that nobody learns the update of the few who have it. Some of those may be away in a
// round: least must allow for that.
func NewLayout(w *weights.Set, shared []string, counts []uint64, least int) (*Layout, error) {
	l := &Layout{groups: map[string][]Slice{}}
	for _, t := range w.Tensors() {
		if fixed[t.Name[strings.LastIndexByte(t.Name, '/')+1:]] || len(t.Data) == 0 {
			continue
		}
		group, err := groupOf(t.Name, shared)
		if err != nil {
			return nil, err
		}
		l.groups[group] = append(l.groups[group], slicesOf(t, counts, least)...)
	}
	for _, key := range shared {
		if len(l.groups[ledger.HeadGroup(key)]) == 0 {
			return nil, fmt.Errorf("layout: the weights have no tensors of the shared head %q: make the genesis again", key)
		}
	}
	if len(l.groups[ledger.TrunkGroup]) == 0 {
		return nil, fmt.Errorf("layout: the weights have no tensors under descriptor/ that can be trained together")
	}
	return l, nil
}

// groupOf says which sum a tensor belongs to.
func groupOf(name string, shared []string) (string, error) {
	if strings.HasPrefix(name, "descriptor/") {
		return ledger.TrunkGroup, nil
	}
	for _, key := range shared {
		if strings.HasPrefix(name, "heads/"+key+"/") {
			return ledger.HeadGroup(key), nil
		}
	}
	return "", fmt.Errorf("layout: tensor %q belongs neither to the trunk nor to a shared head: leave it out of the genesis weights", name)
}

func slicesOf(t *weights.Tensor, counts []uint64, least int) []Slice {
	if t.Name != elementRows || len(t.Shape) != 2 || t.Shape[0] != len(counts) {
		return []Slice{{t.Name, t.Name, 0, len(t.Data)}}
	}
	var rows []Slice
	for e, n := range counts {
		if n >= uint64(least) {
			rows = append(rows, Slice{fmt.Sprintf("%s#%d", t.Name, e), t.Name, e * t.Shape[1], t.Shape[1]})
		}
	}
	return rows
}

// Slices returns the slices of a group in the order in which they are summed.
func (l *Layout) Slices(group string) []Slice { return l.groups[group] }

// Len returns how many numbers a group has.
func (l *Layout) Len(group string) (n int) {
	for _, s := range l.groups[group] {
		n += s.Len
	}
	return n
}

// vector picks a group's numbers out of an update; what is missing counts as zero.
func (l *Layout) vector(group string, update map[string][]float32, w *weights.Set) ([]float64, error) {
	out := make([]float64, 0, l.Len(group))
	for _, s := range l.groups[group] {
		part, ok := update[s.Tensor]
		if !ok {
			out = append(out, make([]float64, s.Len)...)
			continue
		}
		if t, _ := w.Get(s.Tensor); len(part) != len(t.Data) {
			return nil, fmt.Errorf("the update of tensor %q has %d numbers, want %d", s.Tensor, len(part), len(t.Data))
		}
		for _, v := range part[s.From : s.From+s.Len] {
			out = append(out, float64(v))
		}
	}
	return out, nil
}
