package cuda_test

import (
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
)

// TestSizes gives sizes that do not fit: the list becomes invalid, and nothing reaches the device.
func TestSizes(t *testing.T) {
	w := newRig(t)
	x, index := take[float32](w.arena, t, 12), take[int32](w.arena, t, 4)
	scratch := take[float64](w.arena, t, 1)
	for _, c := range []struct {
		name   string
		record func(r *cuda.Recorder)
		want   string
	}{
		{"Upload", func(r *cuda.Recorder) { cuda.Upload(r, x, make([]float32, 13)) }, "dst has 12 numbers, needs 13"},
		{"Download", func(r *cuda.Recorder) { cuda.Download(r, make([]float32, 13), x) }, "src has 12 numbers, needs 13"},
		{"MatMul", func(r *cuda.Recorder) { cuda.MatMul(r, x, x, x, 3, 5, 4) }, "a has 12 numbers, needs 15"},
		{"negative", func(r *cuda.Recorder) { cuda.MatMul(r, x, x, x, -3, 1, 1) }, "needs -3"},
		{"MatMulTN", func(r *cuda.Recorder) { cuda.AddMatMulTN(r, x, x, x, 3, 3, 3, cuda.Slice[float32]{}) }, "scratch has 0"},
		{"MatMulTNRows", func(r *cuda.Recorder) { cuda.MatMulTNRows(r, x, x, x, 3, 3, 3, 2, 4, x) }, "rows 2 to 4 of 3"},
		{"CopyCols", func(r *cuda.Recorder) { cuda.CopyCols(r, x, 4, 3, x, 4, 0, 3, 2) }, "columns 3 to 5 of dst, which has 4"},
		{"RepeatRow", func(r *cuda.Recorder) { cuda.RepeatRow(r, x, x.Cut(0, 5)) }, "no multiple of 5"},
		{"Transpose", func(r *cuda.Recorder) { cuda.TransposeRows(r, x, x, 3, 4, 3, 2) }, "rows 3 to 2 of 4"},
		{"Sum", func(r *cuda.Recorder) { cuda.Sum(r, cuda.Slice[float64]{}, x, scratch) }, "sum has 0"},
		{"Scatter", func(r *cuda.Recorder) { cuda.Scatter(r, x, x, index, cuda.Slice[int32]{}, 0, 4, 1) }, "start has 4 numbers, needs 5"},
		{"segments", func(r *cuda.Recorder) { cuda.SegOuter(r, x, x, x, index, 2, 1, 1, 1) }, "segments 2 to 1"},
		{"PairDot", func(r *cuda.Recorder) { cuda.PairDot(r, x, x, x, index, index.Cut(0, 1), 0, 2, 1, 1) }, "pair has 1 numbers, needs 2"},
		{"Add", func(r *cuda.Recorder) { cuda.Add(r, x, x, x.Cut(0, 3)) }, "operand 1, part 0: 3 numbers, needs 12"},
		{"register", func(r *cuda.Recorder) {
			f := &kernels.Formula{Registers: 1, Inputs: 1, Code: []kernels.Instr{{Op: kernels.OpNeg, Dst: 1}}}
			(&cuda.Tile[float32]{Formula: f, Rows: 1, Cols: 1, Loads: []cuda.Load[float32]{{{Src: x}}}}).Run(r)
		}, "on register 1 of 1"},
		{"gather", func(r *cuda.Recorder) {
			f := &kernels.Formula{Registers: 1, Inputs: 1}
			(&cuda.Tile[float32]{Formula: f, Rows: 5, Cols: 1, Loads: []cuda.Load[float32]{{{Src: x, Index: index}}}}).Run(r)
		}, "an index of 4 rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r cuda.Recorder
			c.record(&r)
			if err := w.finish(&r); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if r.Len() != 0 {
				t.Errorf("%d pieces of work are recorded", r.Len())
			}
			r.Reset()
			if r.Err() != nil {
				t.Errorf("after Reset: %v", r.Err())
			}
		})
	}
}

// TestRecordingAllocatesNothing records and runs products and tiles again and again.
func TestRecordingAllocatesNothing(t *testing.T) {
	w := newRig(t)
	x := take[float32](w.arena, t, 16)
	var r cuda.Recorder
	tile := longFormula(x, x, x, x)
	tile.Rows, tile.Cols = 4, 4
	each := func() {
		cuda.MatMul(&r, x, x, x, 4, 4, 4)
		tile.Run(&r)
	}
	record := func() {
		r.Reset()
		for range 10 {
			each()
		}
	}
	record()
	if n := testing.AllocsPerRun(10, record); n > 0 {
		t.Errorf("%v allocations to record 20 launches", n)
	}
	once := func() {
		if err := w.finish(&r); err != nil {
			t.Fatal(err)
		}
	}
	once()
	few := testing.AllocsPerRun(10, once)
	for range 100 {
		each()
	}
	if many := testing.AllocsPerRun(10, once); many > few+5 {
		t.Errorf("%v allocations to run 20 launches, %v for 220: some for each launch", few, many)
	}
}
