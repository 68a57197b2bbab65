package graph

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// ragged is a random structure for tests: atoms with edges to other atoms, pairs of the edges of an atom.
type ragged struct {
	*Builder
	rng        *rand.Rand
	atom, edge Dim
	centre     *Index // edge -> atom, sorted
	neighbour  *Index // edge -> atom
	slot       *Index // edge -> slot, unique
	pairs      *Pairs
	batch      *Batch[float64]
	tensors    []*Tensor // inputs made by in, in order
}

// newRagged makes a structure of n atoms with 0 to most edges each.
func newRagged(seed uint64, n, most int) *ragged {
	b := New()
	s := &ragged{Builder: b, rng: rand.New(rand.NewPCG(seed, 7)), atom: Axis("atom"), edge: Axis("edge")}
	s.centre = b.SortedIndex("centre", s.edge, s.atom)
	s.neighbour = b.Index("neighbour", s.edge, s.atom)
	s.slot = b.UniqueIndex("slot", s.edge, Axis("slot"))
	s.pairs = b.Pairs("pair", s.centre)
	centre, neighbour := []int32{}, []int32{}
	for i := range n {
		for range s.rng.IntN(most + 1) {
			centre = append(centre, int32(i))
			neighbour = append(neighbour, int32(s.rng.IntN(n)))
		}
	}
	slots := make([]int32, 2*len(centre)+3)
	for i, v := range rand.New(rand.NewPCG(seed, 8)).Perm(len(slots)) {
		slots[i] = int32(v)
	}
	s.batch = &Batch[float64]{
		Sizes:   map[string]int{"atom": n, "edge": len(centre), "slot": len(slots)},
		Indices: map[string][]int32{"centre": centre, "neighbour": neighbour, "slot": slots[:len(centre)]},
		Inputs:  map[string][]float64{},
	}
	return s
}

// size returns the number of rows of d in the structure.
func (s *ragged) size(d Dim) int {
	if d.Axis == "pair" {
		count := map[int32]int{}
		for _, i := range s.batch.Indices["centre"] {
			count[i]++
		}
		total := 0
		for _, n := range count {
			total += n * n
		}
		return d.Mul * total
	}
	return d.size(s.batch.Sizes)
}

// in returns an input of random numbers between lo and hi.
func (s *ragged) in(rows Dim, cols int, lo, hi float64) *Tensor {
	name := fmt.Sprintf("in%d", len(s.batch.Inputs))
	data := make([]float64, s.size(rows)*cols)
	for i := range data {
		data[i] = lo + (hi-lo)*s.rng.Float64()
	}
	s.batch.Inputs[name] = data
	t := s.Input(name, rows, cols)
	s.tensors = append(s.tensors, t)
	return t
}

// run compiles and runs outputs in float64 on one thread.
func (s *ragged) run(t *testing.T, outputs map[string]*Tensor) *Exec[float64] {
	t.Helper()
	e := compileFor[float64](t, s.Builder, outputs, 1)
	if err := e.Run(s.batch); err != nil {
		t.Fatal(err)
	}
	return e
}

func compileFor[F kernels.Float](t testing.TB, b *Builder, outputs map[string]*Tensor, threads int) *Exec[F] {
	t.Helper()
	p, err := b.Compile(outputs)
	if err != nil {
		t.Fatal(err)
	}
	return NewExec[F](p, threads)
}

// to32 returns the batch in float32.
func to32(b *Batch[float64]) *Batch[float32] {
	c := &Batch[float32]{Sizes: b.Sizes, Indices: b.Indices, Inputs: map[string][]float32{}}
	for name, x := range b.Inputs {
		y := make([]float32, len(x))
		kernels.Convert(y, x)
		c.Inputs[name] = y
	}
	return c
}
