package bench

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/training/dpa2"
)

func TestProductsOfALayer(t *testing.T) {
	type entry struct {
		op productOp
		shape
	}
	var got []entry
	for op, s := range productsOf(shape{17000, 25, 50}) {
		got = append(got, entry{op, s})
	}
	want := []entry{{opNN, shape{17000, 25, 50}}, {opNT, shape{17000, 50, 25}}, {opTN, shape{25, 17000, 50}}}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRateOfAProduct(t *testing.T) {
	if got := (shape{10, 20, 30}).gflops(2, 1e-6); got != 24 {
		t.Errorf("two products of 12000 FLOP in 1 µs: got %g GFLOP/s, want 24", got)
	}
}

func TestTrafficOfAProduct(t *testing.T) {
	if got := (shape{10, 20, 30}).bytes(2, 8); got != 2*8*(200+600+300) {
		t.Errorf("two products of 1100 numbers: got %g bytes, want 17600", got)
	}
}

func TestDisturbedPeak(t *testing.T) {
	for _, c := range []struct {
		best, least float64
		want        bool
	}{{100, 100, false}, {100, 90, false}, {100, 50, true}} {
		r := GEMMReport{Peak: Peak{GFLOPS: c.best}, LeastPeak: c.least}
		var text strings.Builder
		if err := r.Print(&text); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(text.String(), "measure again"); got != c.want {
			t.Errorf("peaks from %g to %g: got a warning: %t, want %t", c.least, c.best, got, c.want)
		}
	}
}

func TestMeasureProduct(t *testing.T) {
	for _, op := range []productOp{opNN, opNT, opTN} {
		for _, precision := range []dpa2.Precision{dpa2.Float32, dpa2.Float64} {
			p := measureProduct("layer", op, shape{7, 5, 3}, Options{Precision: precision, Threads: 2, Runs: 3})
			if p.Op != string(op) || p.M != 7 || p.K != 5 || p.N != 3 || p.Times.Runs != 3 {
				t.Errorf("%s %s: got %+v", op, precision, p)
			}
			near(t, "GFLOP/s", p.GFLOPS, 2*2*7*5*3/p.Times.Median/1e9)
			size := map[dpa2.Precision]float64{dpa2.Float32: 4, dpa2.Float64: 8}[precision]
			near(t, "GB/s", p.GBPS, 2*size*(7*5+5*3+7*3)/p.Times.Median/1e9)
		}
	}
}

func TestTogether(t *testing.T) {
	meet := make(chan int) // both sides must be running at once
	var seen [2]bool
	d := together(2, func(thread int) {
		seen[thread] = true
		if thread == 0 {
			meet <- 1
		} else {
			<-meet
		}
	})
	if !seen[0] || !seen[1] || d <= time.Duration(0) {
		t.Errorf("threads that ran: %v in %v", seen, d)
	}
}

func TestPeaks(t *testing.T) {
	if a, b := measurePeak(dpa2.Float32, 1), measurePeak(dpa2.Float64, 2); a <= 0 || b <= 0 {
		t.Errorf("got peaks %g and %g GFLOP/s", a, b)
	}
	if got := measureBandwidth(1); got <= 0 {
		t.Errorf("got %g GB/s", got)
	}
}
