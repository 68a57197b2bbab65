package secagg

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// Attacks on masks, each with the control that it works on masks as others made them.

// small says whether lanes look like quantised values and not like masks.
func small(lanes []uint32) bool {
	return !slices.ContainsFunc(lanes, func(v uint32) bool { return int32(v) < -1<<12 || int32(v) > 1<<12 })
}

// selfMaskedOnly is the masked input of member 0 as those see it who know all its pair masks: everybody else together.
func selfMaskedOnly(t *testing.T, s Session) (p *party, lanes []uint32) {
	t.Helper()
	p = newParty(t, s)
	smallValues(p)
	p.members[0].KeepPairMasks()
	if err := p.until(atMask); err != nil {
		t.Fatal(err)
	}
	lanes = lanesOf(p.in.Masked[0])
	for _, key := range p.members[0].PairMasks([]int{1, 2, 3}) {
		pair := mask{key: key, negative: true}
		pair.apply(s.ring(), lanes)
	}
	return p, lanes
}

// folded makes a key of a seed cut to 16 bits. Others cut to 32, which takes an hour to go through and not a second.
func folded(seed uint16) [32]byte {
	return sha256.Sum256(binary.BigEndian.AppendUint16(nil, seed))
}

// guessed goes through all keys that there are for folded seeds, until what is left looks like values.
func guessed(r ring, lanes []uint32) []uint32 {
	for seed := range 1 << 16 {
		m := mask{key: folded(uint16(seed)), negative: true}
		start := slices.Clone(lanes[:8])
		if m.apply(r, start); small(start) {
			all := slices.Clone(lanes)
			m.apply(r, all)
			return all
		}
	}
	return nil
}

// TestFoldedSeedIsFound guesses the seed of a mask.
func TestFoldedSeedIsFound(t *testing.T) {
	p, lanes := selfMaskedOnly(t, testSession(4, 64))
	if got := guessed(ring32, lanes); got != nil {
		t.Errorf("the self-mask of member 0 is one of 65536: values %d", got[:4])
	}
	naive := slices.Clone(p.values[0])
	m := mask{key: folded(0xbeef)}
	m.apply(ring32, naive)
	if got := guessed(ring32, naive); !slices.Equal(got, p.values[0]) {
		t.Error("control: the values under a folded seed are not found")
	}
}

// TestEverySecretBitCounts: no derivation on the way from a member's root to the keys of its masks looks at a part of its secret only, or at one that is
// folded: neither a bit nor two that lie some bytes apart leave the result as it is.
func TestEverySecretBitCounts(t *testing.T) {
	sid := keyed{1}
	_, public := maskKeyPair(sid, 1, fill32(2))
	derivations := map[string]func(secret [32]byte) any{
		"root": func(s [32]byte) any {
			m, err := NewMember(testSession(3, 1), 0, s)
			if err != nil {
				t.Fatal(err)
			}
			return m.secrets.z
		},
		"self mask":  func(s [32]byte) any { return selfMask(sid, 0, s) },
		"pair mask":  func(s [32]byte) any { key, _ := pairKeys(sid, s[:], 0, 1); return key },
		"tags":       func(s [32]byte) any { _, key := pairKeys(sid, s[:], 0, 1); return key },
		"mask key":   func(s [32]byte) any { _, public := maskKeyPair(sid, 0, s); return public },
		"commitment": func(s [32]byte) any { return commitment(sid, 0, s) },
		"ciphertext": func(s [32]byte) any {
			secret, _, err := encapsulate(sid, 0, 1, s, &public)
			if err != nil {
				t.Fatal(err)
			}
			return [32]byte(secret)
		},
		"control: cut": func(s [32]byte) any { return folded(binary.BigEndian.Uint16(s[:])) },
		"control: folded": func(s [32]byte) any {
			var cut uint32
			for i := 0; i < 32; i += 4 {
				cut ^= binary.BigEndian.Uint32(s[i:])
			}
			return cut
		},
	}
	for name, derive := range derivations {
		base, same := derive(fill32(7)), 0
		for bit := range 256 {
			for _, apart := range []int{0, 1, 2, 4, 8, 16} {
				secret := fill32(7)
				secret[bit/8] ^= 1 << (bit % 8)
				if apart > 0 {
					secret[(bit/8+apart)%32] ^= 1 << (bit % 8)
				}
				if derive(secret) == base {
					same++
				}
			}
		}
		if control := strings.HasPrefix(name, "control"); control != (same >= 240) || !control && same > 0 {
			t.Errorf("%s: %d bits or pairs of bits do not matter", name, same)
		}
	}
	a, err := NewMember(testSession(3, 1), 0, fill32(7))
	if err != nil {
		t.Fatal(err)
	}
	for bit := range 256 {
		root := fill32(7)
		root[bit/8] ^= 1 << (bit % 8)
		b, err := NewMember(testSession(3, 1), 0, root)
		if err != nil {
			t.Fatal(err)
		}
		if x, y := a.secrets, b.secrets; x.b == y.b || x.sealSeed == y.sealSeed || x.sealRandom == y.sealRandom {
			t.Fatalf("bit %d of the root does not matter for every secret", bit)
		}
	}
}

// predicted takes a masked input whose first value is known, and the masks for the states of a linear congruential generator.
func predicted(lanes []uint32, first uint32) []uint32 {
	out, state := slices.Clone(lanes), lanes[0]-first
	for k := range out {
		out[k] -= state
		state = 1664525*state + 1013904223
	}
	return out
}

// TestStatisticalGeneratorIsPredicted knows one value, and from it the state of the generator.
func TestStatisticalGeneratorIsPredicted(t *testing.T) {
	p, lanes := selfMaskedOnly(t, testSession(4, 64))
	if got := predicted(lanes, p.values[0][0]); slices.Equal(got, p.values[0]) || small(got) {
		t.Error("one value gives away the others")
	}
	naive := slices.Clone(p.values[0])
	state := uint32(0x12345678)
	for k := range naive {
		naive[k] += state
		state = 1664525*state + 1013904223
	}
	if got := predicted(naive, p.values[0][0]); !slices.Equal(got, p.values[0]) {
		t.Error("control: the masks of a linear congruential generator are not predicted")
	}
}

// TestFloatMasksLeak masks by adding floating-point numbers: masked inputs lean to the side of the values, and what is opened is not the sum.
func TestFloatMasksLeak(t *testing.T) {
	const lanes, range32, lean = 1 << 14, 1 << 31, 5.0 // standard deviations
	// leaning is the mean of numbers that are uniform up to a bound where they say nothing, in standard deviations.
	leaning := func(v []float64, bound float64) float64 {
		sum := 0.0
		for _, x := range v {
			sum += x
		}
		return sum / bound * math.Sqrt(3/float64(len(v)))
	}
	for _, sign := range []float64{1, -1} {
		p := newParty(t, testSession(4, lanes))
		for k := range p.values[0] {
			p.values[0][k] = uint32(int32(sign * range32 / 8))
		}
		if err := p.until(atMask); err != nil {
			t.Fatal(err)
		}
		var ring, float []float64
		random := rand.New(rand.NewPCG(1, 2))
		for _, v := range lanesOf(p.in.Masked[0]) {
			ring = append(ring, float64(int32(v)))
			float = append(float, sign*range32/8+range32*(2*random.Float64()-1))
		}
		if got := leaning(ring, range32); math.Abs(got) > lean {
			t.Errorf("masked inputs lean by %.1f standard deviations to the side of the values", got)
		}
		if got := leaning(float, range32); sign*got < lean {
			t.Errorf("control: values of sign %g show by %.1f standard deviations under floating-point masks", sign, got)
		}
	}
	random, value, left := rand.New(rand.NewPCG(3, 4)), 0.1, 0
	for range 1000 {
		if m := range32 * random.Float64(); value+m-m != value {
			left++
		}
	}
	if left < 900 { // in the ring it is exact: TestSumOfEveryone
		t.Errorf("control: floating-point masks left the value changed %d times in 1000", left)
	}
}
