package secagg

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var rotationSizes = []int{1, 2, 3, 4, 5, 7, 15, 16, 17, 63, 64, 100, 1023, 1024, 4097, 16384, 50000, maxBlock - 1, maxBlock, maxBlock + 1, 2*maxBlock + 4321, 3 * maxBlock}

func normalVector(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 9))
	x := make([]float64, n)
	for k := range x {
		x[k] = rng.NormFloat64()
	}
	return x
}

func norm2(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	return math.Sqrt(sum)
}

// distance returns |x-y| / |y|.
func distance(x, y []float64) float64 {
	d := slices.Clone(x)
	for k := range d {
		d[k] -= y[k]
	}
	return norm2(d) / norm2(y)
}

func TestRotationIsInvertible(t *testing.T) {
	for _, n := range rotationSizes {
		r, x := newRotation(fill32(1), n), normalVector(n, uint64(n))
		y := slices.Clone(x)
		r.apply(y)
		if got, want := norm2(y), norm2(x); math.Abs(got/want-1) > 1e-12 {
			t.Errorf("%d values: norm %v became %v", n, want, got)
		}
		if n >= 16 && distance(y, x) < 0.5 {
			t.Errorf("%d values are hardly rotated", n)
		}
		r.invert(y)
		if d := distance(y, x); d > 1e-14 {
			t.Errorf("%d values: after there and back off by %g", n, d)
		}
	}
}

// TestRotationOfWholeNumbersIsExact: what is decoded are sums of whole lanes. Not one bit is lost on them.
func TestRotationOfWholeNumbersIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range rotationSizes {
		r, x := newRotation(fill32(2), n), make([]float64, n)
		for k := range x {
			x[k] = float64(rng.IntN(1<<16) - 1<<15)
		}
		y := slices.Clone(x)
		r.invert(y)
		r.apply(y)
		if !slices.Equal(x, y) {
			t.Errorf("%d whole numbers changed", n)
		}
	}
}

// TestHadamardIsTheMatrix compares with the definition: entry (i, j) is -1 to the number of bits that i and j share.
func TestHadamardIsTheMatrix(t *testing.T) {
	for _, n := range []int{1, 4, 16, 256, 4096} {
		x := normalVector(n, 5)
		got := slices.Clone(x)
		hadamard(got)
		for i := 0; i < n; i += 1 + n/64 {
			want := 0.0
			for j, v := range x {
				if parity(i&j) == 1 {
					v = -v
				}
				want += v
			}
			if math.Abs(got[i]-want) > 1e-10 {
				t.Fatalf("n=%d: value %d is %v, want %v", n, i, got[i], want)
			}
		}
	}
}

func parity(x int) (p int) {
	for ; x != 0; x &= x - 1 {
		p ^= 1
	}
	return p
}

// TestRotationSpreadsOneValue: a single value comes out as equal parts over its block, wherever it stood.
func TestRotationSpreadsOneValue(t *testing.T) {
	for _, n := range []int{16, 100, maxBlock, maxBlock + 1, 2*maxBlock + 4321} {
		for _, at := range []int{0, n / 2, n - 1} {
			r, x := newRotation(fill32(1), n), make([]float64, n)
			x[at] = 1
			r.apply(x)
			largest := 0.0
			for _, v := range x {
				largest = max(largest, math.Abs(v))
			}
			// sums of a few twice-mixed values can add up
			if limit := 8 / math.Sqrt(float64(r.block)); largest > limit {
				t.Errorf("%d values: one at %d leaves a value of %v, want at most %v", n, at, largest, limit)
			}
		}
	}
}

func TestSeedsRotateDifferently(t *testing.T) {
	for _, n := range []int{64, 100, maxBlock + 1} {
		x, y := normalVector(n, 1), normalVector(n, 1)
		newRotation(fill32(1), n).apply(x)
		newRotation(fill32(2), n).apply(y)
		if distance(x, y) < 1 {
			t.Errorf("%d values: two seeds rotate nearly alike", n)
		}
	}
}

func BenchmarkRotate(b *testing.B) {
	r, x := newRotation(fill32(1), mebi), normalVector(mebi, 1)
	b.SetBytes(8 * mebi)
	for b.Loop() {
		r.apply(x)
	}
}
