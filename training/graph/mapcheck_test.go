package graph

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestProofsAgreeWithTheSlowCheck holds the loops without branches against the check row by row, for short lists of few
// values, some of them extreme.
func TestProofsAgreeWithTheSlowCheck(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	values := []int32{math.MinInt32, -1, 0, 1, 2, 3, 4, 5, math.MaxInt32}
	good := map[mapOrder]int{}
	for range 20000 {
		list, n := make([]int32, 1+r.IntN(7)), r.IntN(7)
		for i := range list {
			list[i] = values[2+r.IntN(6)]
			if i > 0 && r.IntN(2) == 0 {
				list[i] = list[i-1] + 1
			}
			if r.IntN(20) == 0 {
				list[i] = values[r.IntN(len(values))]
			}
		}
		for order, got := range map[mapOrder]bool{
			anyOrder: within(list, n), ascending: climbs(list, n, 0), once: climbs(list, n, 1),
		} {
			want := checkIndex(&indexState{to: list}, n, order) == nil
			if order == once { // a proof of it is one of ascent, too
				want = want && checkIndex(&indexState{to: list}, n, ascending) == nil
			}
			if got != want {
				t.Fatalf("%v, %d rows to map to, %v: got %v, want %v", list, n, order, got, want)
			}
			if want {
				good[order]++
			}
		}
	}
	for _, order := range []mapOrder{anyOrder, ascending, once} {
		if good[order] < 200 {
			t.Errorf("%v: only %d lists were good", order, good[order])
		}
	}
}

// TestLongMaps has maps of several pieces that are wrong, or not in ascending order, at the border between two.
func TestLongMaps(t *testing.T) {
	const n = 2*checkRows + 10
	for _, c := range []struct {
		name        string
		sorted, any [2]int32 // values on both sides of the border
		swap, ok    bool     // two values of the map by which no value comes twice change places
	}{
		{"good", [2]int32{7, 7}, [2]int32{0, n - 1}, false, true},
		{"swapped", [2]int32{7, 8}, [2]int32{n - 1, 0}, true, true},
		{"falling", [2]int32{8, 7}, [2]int32{0, 0}, false, false},
		{"beyond", [2]int32{7, 7}, [2]int32{0, n}, false, false},
		{"negative", [2]int32{7, 7}, [2]int32{-1, 0}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, batch := longMaps(t, n)
			for i := checkRows; i < n; i++ {
				batch.Indices["sorted"][i] = c.sorted[1]
			}
			for i := range checkRows {
				batch.Indices["sorted"][i] = c.sorted[0]
			}
			copy(batch.Indices["any"][checkRows-1:], c.any[:])
			if c.swap {
				copy(batch.Indices["once"][checkRows-1:], []int32{checkRows, checkRows - 1})
			}
			err := e.Run(batch)
			if (err == nil) != c.ok {
				t.Fatalf("got error %v, want success %v", err, c.ok)
			}
			if !c.ok {
				return
			}
			for i, v := range e.Output("spread") {
				want := i
				if c.swap && (i == checkRows-1 || i == checkRows) {
					want = 2*checkRows - 1 - i
				}
				if v != float64(want) {
					t.Fatalf("spread: row %d is %g, want %d", i, v, want)
				}
			}
			total := 0.0
			for _, v := range e.Output("sums") {
				total += v
			}
			if want := float64(n) * (n - 1) / 2; total != want {
				t.Errorf("sums: %g together, want %g", total, want)
			}
		})
	}
}

// longMaps returns a program with a map of each kind, of n rows to n rows, and a batch with the numbers 0 to n-1 for inputs.
func longMaps(t *testing.T, n int) (*Exec[float64], *Batch[float64]) {
	t.Helper()
	b := New()
	rows, many := Axis("row"), Axis("many")
	x := b.Input("x", rows, 1)
	e := compileFor[float64](t, b, map[string]*Tensor{
		"sums":   b.Scatter(x, b.SortedIndex("sorted", rows, many)),
		"spread": b.Scatter(x, b.UniqueIndex("once", rows, many)),
		"gather": b.Gather(b.Input("y", many, 1), b.Index("any", rows, many)),
	}, 2)
	maps := map[string][]int32{"sorted": make([]int32, n), "once": make([]int32, n), "any": make([]int32, n)}
	numbers := make([]float64, n)
	for i := range numbers {
		numbers[i], maps["once"][i] = float64(i), int32(i)
	}
	inputs := map[string][]float64{"x": numbers, "y": numbers}
	return e, &Batch[float64]{Sizes: map[string]int{"row": n, "many": n}, Indices: maps, Inputs: inputs}
}
