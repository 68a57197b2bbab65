package federation

import (
	"bytes"
	"maps"
	"math"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// An OuterOptimizer turns the members' mean update into new weights. Every product is converted to float64 before it
// is added, so that no compiler fuses the two and all machines get the same bits; results are rounded to float32, the
// precision in which they are certified.
type OuterOptimizer interface {
	// Step changes weights w and momentum v in place. u is the mean of weights before minus weights after.
	Step(w, v, u []float64)
}

// FedAvg moves by Rate times the mean update; with Rate 1 it averages the members' weights (McMahan et al. 2017).
type FedAvg struct{ Rate float64 }

// Step is part of OuterOptimizer.
func (o FedAvg) Step(w, _, u []float64) {
	for k := range w {
		w[k] = single(w[k] - float64(o.Rate*u[k]))
	}
}

// Nesterov is gradient descent with Nesterov momentum on the mean update, as in DiLoCo (Douillard et al. 2023).
type Nesterov struct{ Rate, Momentum float64 }

// Step is part of OuterOptimizer.
func (o Nesterov) Step(w, v, u []float64) {
	for k := range w {
		v[k] = single(float64(o.Momentum*v[k]) + u[k])
		ahead := u[k] + float64(o.Momentum*v[k])
		w[k] = single(w[k] - float64(o.Rate*ahead))
	}
}

var (
	_ OuterOptimizer = FedAvg{}
	_ OuterOptimizer = Nesterov{}
)

func single(x float64) float64 { return float64(float32(x)) }

// NewOuter returns the optimizer that the rules name.
func NewOuter(r *ledger.Rules) OuterOptimizer {
	if r.Outer == ledger.OuterFedAvg {
		return FedAvg{r.Rate}
	}
	return Nesterov{r.Rate, r.Momentum}
}

// outerState is what the outer step carries from round to round, all of it public: "momentum/<tensor>" in the shape of
// the tensor, and "scale/<slice>" with the full scale (in 16-bit lanes: the usual size of a number) and the clipping norm of
// the next round's quantisation.
type outerState struct{ set *weights.Set }

// newOuterState is the state before the first training round.
func newOuterState(w *weights.Set, l *Layout, rules *ledger.Rules) outerState {
	s := outerState{&weights.Set{}}
	for _, group := range slices.Sorted(maps.Keys(l.groups)) {
		for _, slice := range l.groups[group] {
			t, _ := w.Get(slice.Tensor)
			s.set.Put(weights.Tensor{Name: "momentum/" + slice.Tensor, Shape: t.Shape, Data: make([]float64, len(t.Data))})
			s.put(slice, firstScale(slice, rules))
		}
	}
	return s
}

// firstScale are scale and clipping norm of a slice of which no sum was opened yet.
func firstScale(slice Slice, rules *ledger.Rules) [2]float64 {
	first, room := rules.FirstScale, 1.0
	if rules.LaneBits == 16 {
		first, room = firstSigma*first, scaleRoom
	}
	scale := secagg.PowerOfTwo(first)
	return [2]float64{scale, single(room * scale * math.Sqrt(float64(slice.Len)))}
}

// scaleOf returns scale and clipping norm of a slice. One that is new, since fragments are cut elsewhere after members left, begins as
// all did.
func (s outerState) scaleOf(slice Slice, rules *ledger.Rules) [2]float64 {
	if t, ok := s.set.Get("scale/" + slice.Name); ok && len(t.Data) == 2 {
		return [2]float64(t.Data)
	}
	return firstScale(slice, rules)
}

func (s outerState) put(slice Slice, scaleAndClip [2]float64) {
	s.set.Put(weights.Tensor{Name: "scale/" + slice.Name, Shape: []int{2}, Data: scaleAndClip[:]})
}

// Scales leave room for members whose update is larger than the mean: a number that one of n members moves alone is n times
// its mean. They never shrink to nothing.
const (
	scaleRoom = 4
	scaleLow  = 0x1p-40
	scaleHigh = 0x1p40
)

// rescale sets the next scale of a slice from the mean update of that many members that was just opened.
func (s outerState) rescale(slice Slice, mean []float64, members int) {
	largest, squares := 0.0, 0.0
	for _, u := range mean {
		largest = max(largest, math.Abs(u))
		squares += float64(u * u)
	}
	if largest == 0 {
		return
	}
	scale := secagg.PowerOfTwo(max(scaleLow, min(scaleHigh, float64(scaleRoom*members)*largest)))
	s.put(slice, [2]float64{scale, single(max(scale, min(scaleHigh, scaleRoom*math.Sqrt(float64(float64(members)*squares)))))})
}

// quantizer returns the quantiser of a group's session.
func (s outerState) quantizer(l *Layout, group string, rules *ledger.Rules, members int) (*secagg.Quantizer, error) {
	c := secagg.QuantizerConfig{Peers: members, ValueBits: rules.ValueBits, WeightBits: rules.WeightBits}
	for _, slice := range l.groups[group] {
		x := s.scaleOf(slice, rules)
		c.Groups = append(c.Groups, secagg.Group{Name: slice.Name, Len: slice.Len, Scale: x[0], Clip: x[1]})
	}
	return secagg.NewQuantizer(c)
}

// step applies the mean update to a group's weights and state, and returns its L2 norm. next is what the coder says of the next scales.
func (s outerState) step(o OuterOptimizer, w *weights.Set, parts []Slice, d decoded, next [][2]float64) (norm float64) {
	squares, mean := 0.0, d.mean
	for k, slice := range parts {
		u := mean[:slice.Len]
		mean = mean[slice.Len:]
		for _, x := range u {
			squares += float64(x * x)
		}
		t, _ := w.Get(slice.Tensor)
		v := s.momentum(t)
		o.Step(t.Data[slice.From:slice.From+slice.Len], v.Data[slice.From:slice.From+slice.Len], u)
		if next != nil && slices.ContainsFunc(u, func(x float64) bool { return x != 0 }) { // who had nothing to say keeps its scale
			s.put(slice, [2]float64{next[k][0], single(next[k][1])})
		}
		if next == nil {
			s.rescale(slice, u, d.members)
		}
	}
	return math.Sqrt(squares)
}

// momentum returns the momentum of a tensor. One of which no part was summed before, since too few had its elements for the smallest sum, begins at rest.
func (s outerState) momentum(t *weights.Tensor) *weights.Tensor {
	name := "momentum/" + t.Name
	if _, ok := s.set.Get(name); !ok {
		s.set.Put(weights.Tensor{Name: name, Shape: t.Shape, Data: make([]float64, len(t.Data))})
	}
	v, _ := s.set.Get(name)
	return v
}

// encodeFile writes a set as the bytes of a public file: safetensors in float32.
func encodeFile(set *weights.Set) (File, error) {
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, set, weights.F32, map[string]string{"format": "fedlam"}); err != nil {
		return File{}, err
	}
	return File{CID: ledger.FileCID(b.Bytes()), Data: b.Bytes()}, nil
}

// decodeFile reads such a file; an empty one is the state before the setup round.
func decodeFile(c cid.Cid, data []byte, limit int64) (*weights.Set, error) {
	if c.Equals(ledger.NoState()) {
		return nil, nil
	}
	set, _, err := weights.ReadSafetensors(bytes.NewReader(data), limit)
	return set, err
}
