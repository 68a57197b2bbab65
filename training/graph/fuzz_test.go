package graph

import (
	"encoding/binary"
	"testing"
)

// FuzzRun feeds batches of arbitrary sizes, indices and lengths to a program with every kind of index; a bad one must be
// an error, never a panic.
func FuzzRun(f *testing.F) {
	f.Add(uint16(3), uint16(4), uint8(8), uint8(8), []byte{0, 0, 1, 2, 2, 1, 0, 2})
	f.Add(uint16(0), uint16(0), uint8(0), uint8(0), []byte{})
	f.Add(uint16(1), uint16(3), uint8(6), uint8(7), []byte{0, 0, 0, 255, 1, 0})
	b := New()
	atom, edge := Axis("atom"), Axis("edge")
	centre, neighbour := b.SortedIndex("centre", edge, atom), b.Index("neighbour", edge, atom)
	pairs := b.Pairs("pair", centre)
	x, w := b.Input("x", edge, 2), b.Input("w", pairs.Dim(), 1)
	y := b.Gather(b.Scatter(x, neighbour), centre)
	y = b.Add(y, b.RowApply(b.SegOuter(x, y, centre), x, centre))
	y = b.Add(y, b.PairApply(b.SegSoftmax(b.Mul(w, b.PairDot(x, y, pairs, 1)), pairs.Left(), nil, 0), y, pairs, 1))
	e := compileFor[float32](f, b, map[string]*Tensor{"y": y, "dx": b.Grad(b.SumAll(b.Tanh(y)), x)[0]}, 2)
	f.Fuzz(func(t *testing.T, atoms, edges uint16, xs, ws uint8, raw []byte) {
		batch := &Batch[float32]{
			Sizes:   map[string]int{"atom": int(int16(atoms)), "edge": int(int16(edges))},
			Inputs:  map[string][]float32{"x": make([]float32, xs), "w": make([]float32, ws)},
			Indices: map[string][]int32{"centre": small(raw[:len(raw)/2]), "neighbour": small(raw[len(raw)/2:])},
		}
		if err := e.Run(batch); err == nil && len(e.Output("y")) != 2*int(edges) {
			t.Errorf("%d edges, %d numbers", edges, len(e.Output("y")))
		}
	})
}

// small reads indices: each byte one, 255 the start of a large one.
func small(raw []byte) []int32 {
	var list []int32
	for len(raw) > 0 {
		if raw[0] == 255 && len(raw) > 4 {
			list = append(list, int32(binary.LittleEndian.Uint32(raw[1:])))
			raw = raw[5:]
			continue
		}
		list = append(list, int32(raw[0]))
		raw = raw[1:]
	}
	return list
}
