package sketch

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Configurations of the three ways in which a mask is sketched.
var (
	whole  = Config{Lanes: 20_011, Bits: 32, Bound: 1e5, Peak: 3000}          // every lane
	gather = Config{Lanes: 200_003, Bits: 16, Bound: 100 * 447.3, Peak: 200}  // about half of them
	rare   = Config{Lanes: 2_000_003, Bits: 16, Bound: 330 * 1414, Peak: 160} // one in two hundred
)

func newSketch(t testing.TB, seed byte, c Config) *Sketch {
	t.Helper()
	s, err := New([32]byte{seed}, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func randomKey(r *rand.Rand) (key [32]byte) {
	for k := range key {
		key[k] = byte(r.Uint32())
	}
	return key
}

func randomWords(r *rand.Rand, c Config) []uint32 {
	words := make([]uint32, c.Lanes)
	for k := range words {
		words[k] = r.Uint32() >> (32 - c.Bits)
	}
	return words
}

// plainSketch follows the definition in doc.go, one lane at a time.
func plainSketch(s *Sketch, words []uint32) []uint32 {
	at := make(map[int]uint16)
	for i, code := range s.codes {
		if s.lanes != nil {
			at[int(s.lanes[i])] = code
		} else {
			at[i] = code
		}
	}
	sums := make([]int64, s.c.Rows)
	for k, x := range words {
		code, ok := at[k]
		switch {
		case ok && code&signBit != 0:
			sums[int(code)%s.c.Rows] -= int64(x)
		case ok:
			sums[int(code)%s.c.Rows] += int64(x)
		}
	}
	out := make([]uint32, len(sums))
	for r, x := range sums {
		out[r] = uint32(uint64(x) % (1 << s.c.Bits))
	}
	return out
}

// plainMask is PRG(key) as secure aggregation computes it.
func plainMask(key [32]byte, c Config) []uint32 {
	block, _ := aes.NewCipher(key[:])
	b := make([]byte, c.Lanes*c.Bits/8)
	cipher.NewCTR(block, make([]byte, 16)).XORKeyStream(b, b)
	words := make([]uint32, c.Lanes)
	for k := range words {
		if c.Bits == 16 {
			words[k] = uint32(binary.LittleEndian.Uint16(b[2*k:]))
		} else {
			words[k] = binary.LittleEndian.Uint32(b[4*k:])
		}
	}
	return words
}

func toBytes(words []uint32, bits int) []byte {
	var b []byte
	for _, w := range words {
		if bits == 16 {
			b = binary.LittleEndian.AppendUint16(b, uint16(w))
		} else {
			b = binary.LittleEndian.AppendUint32(b, w)
		}
	}
	return b
}

func TestPiecesAddUpToTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for name, c := range map[string]Config{"every lane": whole, "sampled": gather, "rare": rare} {
		s := newSketch(t, 1, c)
		words := randomWords(r, c)
		want := plainSketch(s, words)
		got, bytes := s.Zero(), s.Zero()
		cuts := []int{0, 1, 1, 4097, 4098, c.Lanes - 1, c.Lanes}
		for i := len(cuts) - 1; i > 0; i-- {
			piece := words[cuts[i-1]:cuts[i]]
			s.Add(got, cuts[i-1], piece)
			s.AddBytes(bytes, cuts[i-1], toBytes(piece, c.Bits))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: sum of pieces %v, want %v", name, got[:4], want[:4])
		}
		s.reduce(bytes)
		if !slices.Equal(bytes, want) {
			t.Errorf("%s: sum of byte pieces %v, want %v", name, bytes[:4], want[:4])
		}
		outside := s.Zero()
		for _, at := range []int{c.Lanes, -7, c.Lanes + 1} {
			s.Add(outside, at, words[:7])
			s.AddBytes(outside, at, toBytes(words[:7], c.Bits))
		}
		if !slices.Equal(outside, s.Zero()) {
			t.Errorf("%s: words outside the vector count", name)
		}
	}
}

func TestMaskIsTheSketchOfItsStream(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	long := whole
	long.Bound, long.Peak, long.Lanes = 3e10, 1e7, 1_000_003 // sampled in the wide ring
	for name, c := range map[string]Config{"every lane": whole, "gathered": gather, "sought": rare, "wide and sampled": long} {
		s := newSketch(t, 5, c)
		key := randomKey(r)
		want := s.Zero()
		s.Add(want, 0, plainMask(key, c))
		if got := s.Mask(key); !slices.Equal(got, want) {
			t.Errorf("%s (rate %.3f): sketch of the mask %v, want %v", name, s.Rate(), got[:4], want[:4])
		}
		t.Logf("%s: rate %.4f", name, s.Rate())
		fast, slow := s.Zero(), s.Zero()
		s.streamMask(fast, key)
		if s.lanes != nil {
			s.seekMask(slow, key)
			if !slices.Equal(fast, slow) {
				t.Errorf("%s: the stream read whole and in parts differ", name)
			}
		}
	}
}

func TestSketchIsLinear(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range []Config{whole, gather} {
		s := newSketch(t, 2, c)
		x, y := randomWords(r, c), randomWords(r, c)
		sum, want := s.Zero(), s.Zero()
		for k := range x {
			x[k], y[k] = x[k]+y[k], -y[k]
		}
		s.Add(want, 0, x)
		s.Add(want, 0, y) // x again
		for k := range x {
			x[k] += y[k]
		}
		s.Add(sum, 0, x)
		if !slices.Equal(sum, want) {
			t.Errorf("%d bits: sketch of the sum %v, sum of sketches %v", c.Bits, sum[:4], want[:4])
		}
		s.Remove(sum, want)
		s.Accumulate(want, sum)
		if !slices.Equal(sum, s.Zero()) {
			t.Errorf("%d bits: a sketch less itself is %v", c.Bits, sum[:4])
		}
	}
}

// TestFunctionalsAreUniform checks buckets, signs and the sampling rate within five standard deviations.
func TestFunctionalsAreUniform(t *testing.T) {
	for name, c := range map[string]Config{"every lane": whole, "sampled": gather, "rare": rare} {
		s := newSketch(t, 9, c)
		n, negative, bucket := float64(len(s.codes)), 0.0, make([]float64, s.Rows())
		for _, code := range s.codes {
			bucket[code&^signBit]++
			negative += float64(code / signBit)
		}
		within := func(what string, got, mean, variance float64) {
			if math.Abs(got-mean) > 5*math.Sqrt(variance) {
				t.Errorf("%s: %s: %v, want %v ± %v", name, what, got, mean, math.Sqrt(variance))
			}
		}
		within("lanes looked at", n, s.Rate()*float64(c.Lanes), s.Rate()*(1-s.Rate())*float64(c.Lanes)+1e-9)
		within("negative signs", negative, n/2, n/4)
		for r, got := range bucket {
			within(fmt.Sprint("bucket ", r), got, n/64, n/64)
		}
	}
}

func TestSeedBindsEverything(t *testing.T) {
	base := func() (a, b [32]byte, roots map[int][32]byte) {
		return [32]byte{1}, [32]byte{2}, map[int][32]byte{0: {3}, 2: {4}}
	}
	a, b, roots := base()
	seen := map[[32]byte]string{Seed(a, b, roots): "the same"}
	for name, change := range map[string]func(a, b *[32]byte, roots map[int][32]byte){
		"session": func(a, _ *[32]byte, _ map[int][32]byte) { a[31] ^= 1 },
		"opened":  func(_, b *[32]byte, _ map[int][32]byte) { b[31] ^= 1 },
		"root":    func(_, _ *[32]byte, r map[int][32]byte) { r[2] = [32]byte{5} },
		"index":   func(_, _ *[32]byte, r map[int][32]byte) { r[1] = r[2]; delete(r, 2) },
		"fewer":   func(_, _ *[32]byte, r map[int][32]byte) { delete(r, 2) },
		"swapped": func(_, _ *[32]byte, r map[int][32]byte) { r[0], r[2] = r[2], r[0] },
	} {
		a, b, roots := base()
		change(&a, &b, roots)
		seed := Seed(a, b, roots)
		if other, twice := seen[seed]; twice {
			t.Errorf("another %s gives the seed of %s", name, other)
		}
		seen[seed] = name
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"no lanes": func(c *Config) { c.Lanes = 0 }, "too many lanes": func(c *Config) { c.Lanes = MaxLanes + 1 },
		"ring": func(c *Config) { c.Bits = 24 }, "rows": func(c *Config) { c.Rows = 48 }, "few rows": func(c *Config) { c.Rows = 4 },
		"bound": func(c *Config) { c.Bound = 0 }, "bound not a number": func(c *Config) { c.Bound = math.NaN() },
		"endless bound": func(c *Config) { c.Bound = math.Inf(1) },
		"peak":          func(c *Config) { c.Peak = 0 }, "peak beyond the ring": func(c *Config) { c.Peak = 1 << 31 },
		"peak not a number": func(c *Config) { c.Peak = math.NaN() }, "certain accusation": func(c *Config) { c.FalseAccusation = 1 },
		"coalition": func(c *Config) { c.Coalition = -1 },
		"spikes that fill the ring": func(c *Config) {
			c.Bits, c.Bound, c.Peak = 16, 1e6, 30000
		},
	} {
		c := whole
		change(&c)
		if _, err := New([32]byte{}, c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestFunctionalsBytes pins seed, functionals and the sketch of a mask: all members of all versions must find the same. The values were
// computed by another implementation.
func TestFunctionalsBytes(t *testing.T) {
	seed := Seed([32]byte{1}, [32]byte{2}, map[int][32]byte{0: {3}, 2: {4}})
	if got, want := fmt.Sprintf("%x", seed), "e78af920289a398700c066223f4e33ba65bd9cb28377893fa7dcfc2740a6139e"; got != want {
		t.Errorf("seed %s, want %s", got, want)
	}
	words := make([]uint32, 1000)
	for k := range words {
		words[k] = uint32(k * k * 7919)
	}
	for _, c := range []struct {
		Config
		rate        int
		words, mask string
	}{
		{Config{Lanes: 1000, Bits: 32, Rows: 8, Bound: 30000, Peak: 10}, fullRate, "3409103b ff82efbb 88fba912 295a609a 7cc2db0c 4eb81b5d d5fa281f c51831d2", ""},
		{Config{Lanes: 1000, Bits: 16, Rows: 8, Bound: 30000, Peak: 10, Coalition: 1}, 78187, "467d 9c8d 4423 dea3 7d5c f702 6b81 f46c", "c886 c39b df8f 7646 54a2 d3b1 3179 2a59"},
	} {
		s, err := New(seed, c.Config)
		if err != nil {
			t.Fatal(err)
		}
		sketch := s.Zero()
		s.Add(sketch, 0, words)
		if got := fmt.Sprintf("%x", sketch); got != "["+c.words+"]" || s.rate != c.rate {
			t.Errorf("%d bits: rate %d, sketch %s, want %d and %s", c.Bits, s.rate, got, c.rate, c.words)
		}
		if got := fmt.Sprintf("%x", s.Mask([32]byte{5})); c.mask != "" && got != "["+c.mask+"]" {
			t.Errorf("%d bits: mask %s, want %s", c.Bits, got, c.mask)
		}
	}
}
