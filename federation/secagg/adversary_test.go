package secagg

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

// chiSquared returns the statistic of the byte frequencies, in standard deviations from its mean of 255.
func chiSquared(data []byte) float64 {
	var count [256]float64
	for _, b := range data {
		count[b]++
	}
	want, x := float64(len(data))/256, 0.0
	for _, c := range count {
		x += (c - want) * (c - want) / want
	}
	return (x - 255) / math.Sqrt(2*255)
}

func words(r ring, lanes []uint32) []byte {
	b := make([]byte, int(r)*len(lanes))
	r.put(b, lanes)
	return b
}

// lanesOf reads a masked input of one chunk.
func lanesOf(m Masked) []uint32 {
	out := make([]uint32, len(m.Chunks[0])/int(m.ring))
	m.ring.get(out, m.Chunks[0])
	return out
}

// smallValues gives every member values as a quantiser makes them: small, signed, and far from uniform.
func smallValues(p *party) {
	for i := range p.values {
		for k := range p.values[i] {
			p.values[i][k] = inRing(p.s, uint32(int32((i+2)*(k%7)-9)))
		}
	}
}

// TestMaskedInputsLookUniform: one member's masked input, and any difference or partial sum of them, shows nothing of
// the values. The roots are fixed, so the outcome is the same in every run.
func TestMaskedInputsLookUniform(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(4, 1<<14))
		smallValues(p)
		if err := p.until(atSurvive); err != nil {
			t.Fatal(err)
		}
		const limit = 5 // standard deviations
		all := make([]uint32, p.s.Lanes)
		for i := range p.members {
			lanes := lanesOf(p.in.Masked[i])
			if x := chiSquared(words(p.s.ring(), lanes)); math.Abs(x) > limit {
				t.Errorf("masked input of member %d: %.1f standard deviations from uniform", i, x)
			}
			if x := chiSquared(words(p.s.ring(), p.values[i])); x < 100 {
				t.Errorf("control: the values of member %d pass for uniform (%.1f)", i, x)
			}
			for k, v := range lanes {
				all[k] = inRing(p.s, all[k]+v)
			}
			if x := chiSquared(words(p.s.ring(), all)); math.Abs(x) > limit {
				t.Errorf("sum of the masked inputs of members 0 to %d without any opened share: %.1f standard deviations from uniform", i, x)
			}
		}
		if slices.Equal(all, p.want()) {
			t.Error("masked inputs add up to the sum without any opened share")
		}
		// Control: with the self-masks gone, the pair masks cancel and the sum is there.
		for i := range p.members {
			fresh, err := NewMember(p.s, i, testRoot(i))
			if err != nil {
				t.Fatal(err)
			}
			self := mask{key: selfMask(p.s.key(), i, fresh.secrets.b), negative: true}
			self.apply(p.s.ring(), all)
		}
		if !slices.Equal(all, p.want()) {
			t.Error("control: pair masks do not cancel")
		}
	})
}

// TestTooFewSharesOpenNothing: with one Unmask too few, the public messages do not give the sum, and interpolation of what
// is there gives another seed.
func TestTooFewSharesOpenNothing(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := stated(t, session, 4)
		if err := p.runUnmask(); err != nil {
			t.Fatal(err)
		}
		fresh, err := NewMember(p.s, 2, testRoot(2))
		if err != nil {
			t.Fatal(err)
		}
		open := func(openers ...int) [32]byte {
			var shares [][32]byte
			for _, i := range openers {
				shares = append(shares, p.in.Unmasks[i].Opened[2].Share)
			}
			value, err := combine(openers, shares)
			if err != nil {
				t.Fatal(err)
			}
			return value
		}
		if open(0, 1) == fresh.secrets.b {
			t.Error("two shares of threshold three gave the self-mask")
		}
		if open(0, 1, 3) != fresh.secrets.b {
			t.Error("control: three shares do not give the self-mask")
		}
		delete(p.in.Unmasks, 0)
		delete(p.in.Unmasks, 1)
		if got, err := Sum(p.s, p.in); !errors.Is(err, ErrThreshold) {
			t.Errorf("two unmaskers of threshold three: sum %x, error %v", got, err)
		}
	})
}

// TestBothSecretsWouldRevealOneMember shows what "never both" is for: with b and z of one survivor, its values are there.
// TestUnmaskOpensOneShareEach is the refusal.
func TestBothSecretsWouldRevealOneMember(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(4, 64))
		if err := p.until(atMask); err != nil {
			t.Fatal(err)
		}
		const target = 1
		fresh, err := NewMember(p.s, target, testRoot(target))
		if err != nil {
			t.Fatal(err)
		}
		r := rebuilder{s: &p.s, sid: p.s.key(), keys: p.in.Keys, shares: p.in.Shares, survivors: []int{0, 2, 3}}
		masks, err := r.pairMasks(target, fresh.secrets.z)
		if err != nil {
			t.Fatal(err)
		}
		strip := func(withB bool) []uint32 {
			lanes := lanesOf(p.in.Masked[target])
			for _, m := range masks { // what undoes the others' masks for the target is what the target added
				m.negative = !m.negative
				m.apply(p.s.ring(), lanes)
			}
			if withB {
				self := mask{key: selfMask(p.s.key(), target, fresh.secrets.b), negative: true}
				self.apply(p.s.ring(), lanes)
			}
			return lanes
		}
		if slices.Equal(strip(false), p.values[target]) {
			t.Error("z alone reveals a survivor's values")
		}
		if !slices.Equal(strip(true), p.values[target]) {
			t.Error("control: b and z together do not reveal them")
		}
	})
}

// TestUnmaskOpensOneShareEach: for every dealer exactly one share, b of survivors and z of the dropped, and a second
// request, with whatever list, gets nothing.
func TestUnmaskOpensOneShareEach(t *testing.T) {
	p := newParty(t, testSession(7, 3))
	p.leave[1], p.leave[6] = atShares, atConfirm
	if err := p.until(atUnmask); err != nil {
		t.Fatal(err)
	}
	for i, u := range p.in.Unmasks {
		if len(u.Opened) != 7 {
			t.Errorf("member %d opened %d shares, want one of each of 7 dealers", i, len(u.Opened))
		}
		for k, o := range u.Opened {
			want := SecretB
			if k == 1 || k == 6 {
				want = SecretZ
			}
			if o.Of != k || o.Secret != want {
				t.Errorf("member %d opened secret %d of member %d, want secret %d of member %d", i, o.Secret, o.Of, want, k)
			}
		}
	}
	m := p.members[0]
	if _, err := m.Survive([]int{0, 2, 3, 4, 5}, map[int][32]byte{}); err == nil {
		t.Error("a second statement was made")
	}
	for _, other := range []map[int]Survivors{p.in.Statements, {}} {
		if u, err := m.Unmask(other); !errors.Is(err, ErrSpent) || len(u.Opened) != 0 {
			t.Errorf("a second Unmask opened %d shares (%v)", len(u.Opened), err)
		}
	}
}

// TestMaskReuseWouldRevealADifference shows what "once only" and the session id in every key are for.
func TestMaskReuseWouldRevealADifference(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		difference := func(change func(s *Session)) []uint32 {
			var masked [2][]uint32
			for k := range masked {
				s := session(3, 64)
				if k == 1 && change != nil {
					change(&s)
				}
				p := newParty(t, s)
				if k == 1 {
					for n := range p.values[0] {
						p.values[0][n] = inRing(s, p.values[0][n]+5)
					}
				}
				if err := p.until(atMask); err != nil {
					t.Fatal(err)
				}
				masked[k] = lanesOf(p.in.Masked[0])
			}
			for n := range masked[0] {
				masked[1][n] = inRing(session(3, 64), masked[1][n]-masked[0][n])
			}
			return masked[1]
		}
		fives := slices.Repeat([]uint32{5}, 64)
		if got := difference(nil); !slices.Equal(got, fives) {
			t.Errorf("control: the same root under the same session id gives a difference of %x", got[:4])
		}
		if got := difference(func(s *Session) { s.ID[31] ^= 1 }); slices.Equal(got, fives) {
			t.Error("another session id gives the same masks")
		}
	})
}

// TestSumsThatDifferByOneRevealIt shows why a released round is consumed: the state machine above must refuse a
// second attempt at it. Within one session the second statement is refused (TestSecondSurvivorList).
func TestSumsThatDifferByOneRevealIt(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		var sums [2][]uint32
		for k := range sums {
			s := session(4, 16)
			s.ID[0] ^= byte(k)
			p := newParty(t, s)
			if k == 1 {
				p.leave[3] = atConfirm
			}
			if err := p.until(atUnmask); err != nil {
				t.Fatal(err)
			}
			var err error
			if sums[k], err = Sum(p.s, p.in); err != nil {
				t.Fatal(err)
			}
		}
		values := newParty(t, session(4, 16)).values[3]
		for n := range values {
			if inRing(session(4, 16), sums[0][n]-sums[1][n]) != values[n] {
				t.Fatal("control: two sums one member apart do not reveal it; then why refuse them")
			}
		}
	})
}

// dependent names the messages of two runs that differ, but for masked inputs, of which only the lengths count.
func dependent(a, b *party) (out []string) {
	note := func(kind string, i int, x, y []byte) {
		if !bytes.Equal(x, y) {
			out = append(out, fmt.Sprintf("%s of %d", kind, i))
		}
	}
	for i := range a.members {
		note("keys", i, encoded(a.in.Keys[i], (*Keys).Encode), encoded(b.in.Keys[i], (*Keys).Encode))
		note("shares", i, encoded(a.in.Shares[i], (*Shares).Encode), encoded(b.in.Shares[i], (*Shares).Encode))
		note("confirm", i, encoded(a.confirms[i], (*Confirm).Encode), encoded(b.confirms[i], (*Confirm).Encode))
		note("unmask", i, encoded(a.in.Unmasks[i], (*Unmask).Encode), encoded(b.in.Unmasks[i], (*Unmask).Encode))
		ha, hb := encoded(a.in.Masked[i].Header, (*MaskedHeader).Encode), encoded(b.in.Masked[i].Header, (*MaskedHeader).Encode)
		note("length of the header", i, make([]byte, len(ha)), make([]byte, len(hb)))
		note("length of the masked input", i, make([]byte, len(a.in.Masked[i].Chunks[0])), make([]byte, len(b.in.Masked[i].Chunks[0])))
	}
	return out
}

// TestMessagesDoNotDependOnTheValues: nothing but the masked input itself carries anything of a member's data: no counts, norms
// or losses in the clear. The control is a member that puts the number of its values that are not zero where its salts stand.
func TestMessagesDoNotDependOnTheValues(t *testing.T) {
	a, b := newParty(t, testSession(3, 33)), newParty(t, testSession(3, 33))
	smallValues(b)
	if err := errors.Join(a.until(atUnmask), b.until(atUnmask)); err != nil {
		t.Fatal(err)
	}
	if got := dependent(a, b); len(got) > 0 {
		t.Errorf("%v say something about the values", got)
	}
	for _, p := range []*party{a, b} {
		count := 0
		for _, v := range p.values[1] {
			if v != 0 {
				count++
			}
		}
		u := p.in.Unmasks[1]
		u.Opened = slices.Clone(u.Opened)
		u.Opened[2].Salt[0] = byte(count)
		p.in.Unmasks[1] = u
	}
	if got, want := dependent(a, b), []string{"unmask of 1"}; !slices.Equal(got, want) {
		t.Errorf("control: %v are found to say something about the values, want %v", got, want)
	}
}
