package cuda_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
)

// TestTileOfManyParts puts a row together of single numbers, in reverse: the interpreter takes 40 parts, emitted code 64.
func TestTileOfManyParts(t *testing.T) {
	for _, c := range []struct {
		parts   int
		way     cuda.Tiles
		refused bool
	}{{40, cuda.Interpret, false}, {40, cuda.Emit, false}, {50, cuda.Interpret, true}, {50, cuda.Emit, false}, {64, cuda.Emit, false}, {65, cuda.Emit, true}} {
		t.Run(fmt.Sprintf("%d, %s", c.parts, c.way), func(t *testing.T) { manyParts(t, c.parts, c.way, c.refused) })
	}
}

func manyParts(t *testing.T, parts int, way cuda.Tiles, refused bool) {
	b := newBridge[float32](t, openTiles(t, way))
	x, got, want := make([]float32, parts), make([]float32, parts), make([]float32, parts)
	for i := range x {
		x[i], want[parts-1-i] = float32(i), float32(-i)
	}
	src := b.in(x)
	var load cuda.Load[float32]
	for i := range parts {
		load = append(load, cuda.Part[float32]{Src: src, From: parts - 1 - i, At: i, Width: 1})
	}
	tile := cuda.Tile[float32]{
		Formula: &kernels.Formula{Registers: 2, Inputs: 1, Stored: []int{1}, Code: []kernels.Instr{{Op: kernels.OpNeg, Dst: 1}}},
		Rows:    1, Cols: parts, Loads: []cuda.Load[float32]{load}, Stores: []cuda.Store[float32]{{Reg: 1, Dst: b.out(got)}},
	}
	tile.Run(&b.rec)
	if refused {
		if err := b.stream.Run(&b.rec); err == nil || !strings.Contains(err.Error(), "split it") {
			t.Errorf("error %v, want one that says to split it", err)
		}
		return
	}
	b.run()
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestTileBeyondCode has a source whose rows lie farther apart than emitted code counts: it is interpreted.
func TestTileBeyondCode(t *testing.T) {
	b := newBridge[float32](t, openTiles(t, cuda.Emit))
	x := []float32{1, 2, 3}
	tile := cuda.Tile[float32]{
		Formula: &kernels.Formula{Registers: 2, Inputs: 1, Stored: []int{1}, Code: []kernels.Instr{{Op: kernels.OpSquare, Dst: 1}}},
		Rows:    1, Cols: 3, Loads: []cuda.Load[float32]{{{Src: b.in(x), SrcCols: 1 << 31}}}, Stores: []cuda.Store[float32]{{Reg: 1, Dst: b.out(x)}},
	}
	tile.Run(&b.rec)
	if texts := cuda.Emitted(&b.rec); len(texts) > 0 {
		t.Errorf("code was written: %s", texts[0])
	}
	b.run()
	if want := []float32{1, 4, 9}; !slices.Equal(x, want) {
		t.Errorf("got %v, want %v", x, want)
	}
}
