package secagg

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// bigFixed is the slow reference: round(v·2^40), half to even.
func bigFixed(v float64) *big.Int {
	r := new(big.Rat).SetFloat64(v)
	r.Mul(r, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), wideFraction)))
	x, rest := new(big.Int).DivMod(r.Num(), r.Denom(), new(big.Int))
	if half := rest.Lsh(rest, 1).Cmp(r.Denom()); half > 0 || half == 0 && x.Bit(0) == 1 {
		x.Add(x, big.NewInt(1))
	}
	return x
}

func TestWideSumIsTheExactSum(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const members, values = 300, 40
	w, err := NewWide(members)
	if err != nil {
		t.Fatal(err)
	}
	sum := make([]uint32, values*WideLanes)
	want := make([]*big.Int, values)
	for i := range want {
		want[i] = new(big.Int)
	}
	for range members {
		v := make([]float64, values)
		for k := range v {
			v[k] = math.Ldexp(2*rng.Float64()-1, rng.IntN(120)-49)
			want[k].Add(want[k], bigFixed(v[k]))
		}
		lanes, err := w.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		addLanes(sum, lanes)
	}
	got, err := w.DecodeInt(sum)
	if err != nil {
		t.Fatal(err)
	}
	floats, err := w.Decode(sum)
	if err != nil {
		t.Fatal(err)
	}
	for k := range want {
		if got[k].Cmp(want[k]) != 0 {
			t.Errorf("sum %d = %v, want %v", k, got[k], want[k])
		}
		nearest, _ := new(big.Rat).SetFrac(want[k], new(big.Int).Lsh(big.NewInt(1), wideFraction)).Float64()
		if floats[k] != nearest {
			t.Errorf("sum %d = %v, want %v", k, floats[k], nearest)
		}
	}
}

// TestWideHoldsTheLargestSum adds the largest value for the largest number of members, without adding 65536 times.
func TestWideHoldsTheLargestSum(t *testing.T) {
	w, err := NewWide(MaxPeers)
	if err != nil {
		t.Fatal(err)
	}
	largest := math.Nextafter(1<<71, 0)
	for _, v := range []float64{largest, -largest, -math.Ldexp(1, -40), -1, 0, 1.5} {
		lanes, err := w.Encode([]float64{v})
		if err != nil {
			t.Fatal(err)
		}
		for k := range lanes {
			if wide := uint64(lanes[k]) * MaxPeers; wide > math.MaxUint32 {
				t.Fatalf("lane %d of %v overflows", k, v)
			}
			lanes[k] *= MaxPeers
		}
		got, err := w.Decode(lanes)
		if err != nil || got[0] != v*MaxPeers {
			t.Errorf("%d times %v = %v (%v)", MaxPeers, v, got, err)
		}
	}
}

func TestWideRefuses(t *testing.T) {
	w, err := NewWide(2)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1 << 71, -(1 << 71), math.MaxFloat64} {
		if _, err := w.Encode([]float64{0, v}); err == nil {
			t.Errorf("Encode(%v) was accepted", v)
		}
	}
	for name, lanes := range map[string][]uint32{
		"no multiple of 8":         make([]uint32, 9),
		"lane above the members'":  {2*limbMax + 1, 0, 0, 0, 0, 0, 0, 0},
		"sum above the members'":   {0, 0, 0, 0, 0, 0, 0, 1 << 14},
		"sum below what they have": {0, 0, 0, 0, 0, 0, 0, 0xc000},
	} {
		if v, err := w.DecodeInt(lanes); err == nil {
			t.Errorf("%s: gave %v", name, v)
		}
	}
	for _, peers := range []int{-1, 0, MaxPeers + 1} {
		if _, err := NewWide(peers); err == nil {
			t.Errorf("NewWide(%d) was accepted", peers)
		}
	}
}

func TestWideEncodesLikeBigInt(t *testing.T) {
	w, err := NewWide(1)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := math.Ldexp(rapid.Float64Range(-1, 1).Draw(t, "fraction"), rapid.IntRange(-60, 71).Draw(t, "exponent"))
		lanes, err := w.Encode([]float64{v})
		if err != nil {
			t.Skip("out of range")
		}
		got, err := w.DecodeInt(lanes)
		if err != nil || got[0].Cmp(bigFixed(v)) != 0 {
			t.Fatalf("%v is encoded as %v (%v), want %v", v, got, err, bigFixed(v))
		}
	})
}
