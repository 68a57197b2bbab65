package secagg

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// slowMul multiplies polynomials bit by bit and reduces by long division: the reference for the field.
func slowMul(a, b byte) byte {
	var p uint16
	for i := range 8 {
		if b>>i&1 != 0 {
			p ^= uint16(a) << i
		}
	}
	for i := 15; i >= 8; i-- {
		if p>>i&1 != 0 {
			p ^= 0x11b << (i - 8)
		}
	}
	return byte(p)
}

func TestFieldAgainstLongDivision(t *testing.T) {
	for a := range 256 {
		var v [32]byte
		for b0 := 0; b0 < 256; b0 += 32 {
			for k := range v {
				v[k] = byte(b0 + k)
			}
			e := loadElement(v)
			e.scale(byte(a))
			got := e.bytes()
			for k := range v {
				want := slowMul(byte(a), v[k])
				if got[k] != want || mul(byte(a), v[k]) != want {
					t.Fatalf("%#x * %#x = %#x and %#x, want %#x", a, v[k], got[k], mul(byte(a), v[k]), want)
				}
			}
		}
		if a != 0 && slowMul(byte(a), invert(byte(a))) != 1 {
			t.Fatalf("%#x * invert = %#x", a, slowMul(byte(a), invert(byte(a))))
		}
	}
	if mul(0x57, 0x83) != 0xc1 { // FIPS 197, section 4.2
		t.Errorf("0x57 * 0x83 = %#x, want 0xc1", mul(0x57, 0x83))
	}
}

func TestAnyThresholdOfSharesRebuildsTheSecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, MaxMembers).Draw(t, "n")
		threshold := rapid.IntRange(Quorum(n), n).Draw(t, "t")
		value := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "secret"))
		d := deal(keyed{1}, 0, SecretB, value, threshold)
		members := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 1)).Perm(n)[:threshold]
		shares := make([][32]byte, threshold)
		for k, i := range members {
			shares[k] = d.share(i)
		}
		got, err := combine(members, shares)
		if err != nil || got != value {
			t.Fatalf("combined %x (%v), want %x", got, err, value)
		}
		if threshold > 2 {
			if got, err := combine(members[1:], shares[1:]); err != nil || got == value {
				t.Fatalf("%d shares of %d gave the secret (%v)", threshold-1, threshold, err)
			}
		}
	})
}

// TestFewerSharesFitEverySecret shows that t-1 shares exclude no secret: for any other secret there is a share of one more
// member that completes them to it.
func TestFewerSharesFitEverySecret(t *testing.T) {
	d := deal(keyed{1}, 0, SecretB, [32]byte{1, 2, 3}, 4)
	known := []int{0, 2, 3}
	members := []int{0, 2, 3, 5}
	weights, err := lagrange(members)
	if err != nil {
		t.Fatal(err)
	}
	other := [32]byte{9, 9, 9}
	rest := loadElement(other)
	shares := make([][32]byte, 4)
	for k, i := range known {
		shares[k] = d.share(i)
		term := loadElement(shares[k])
		term.scale(weights[k])
		rest.add(&term)
	}
	rest.scale(invert(weights[3]))
	shares[3] = rest.bytes()
	if got, err := combine(members, shares); err != nil || got != other {
		t.Errorf("combined %x (%v), want %x", got, err, other)
	}
}

// combine interpolates at zero.
func combine(members []int, shares [][32]byte) ([32]byte, error) {
	p, err := newInterpolation(members)
	if err != nil {
		return [32]byte{}, err
	}
	return p.atZero(shares)
}

func TestShamirRefusesBadPoints(t *testing.T) {
	d := deal(keyed{1}, 0, SecretB, [32]byte{1}, 3)
	for _, c := range []struct {
		name    string
		members []int
	}{
		{"point zero", []int{-1, 0, 1}}, {"point 256, which is zero in a byte", []int{255, 0, 1}}, {"twice", []int{1, 0, 1}}, {"none", nil},
	} {
		shares := make([][32]byte, len(c.members))
		for k, i := range c.members {
			shares[k] = d.share(i)
		}
		if got, err := combine(c.members, shares); !errors.Is(err, errPoints) {
			t.Errorf("%s: gave %x, error %v", c.name, got, err)
		}
	}
	// Control: a share at point zero is the secret itself.
	if d.share(-1) != d.value || d.share(255) != d.value {
		t.Error("the share at point zero is not the secret: this test refuses the wrong points")
	}
	if _, err := combine([]int{0, 1}, make([][32]byte, 3)); !errors.Is(err, errPoints) {
		t.Errorf("three shares for two members: %v", err)
	}
}

// TestDealingsAreSeparate: nothing a dealer derives from b is derived from z, for another member or another session.
func TestDealingsAreSeparate(t *testing.T) {
	value := [32]byte{7}
	base := deal(keyed{1}, 0, SecretB, value, 3)
	for name, other := range map[string]dealing{
		"secret":  deal(keyed{1}, 0, SecretZ, value, 3),
		"dealer":  deal(keyed{1}, 1, SecretB, value, 3),
		"session": deal(keyed{2}, 0, SecretB, value, 3),
		"degree":  deal(keyed{1}, 0, SecretB, value, 4),
	} {
		if other.share(1) == base.share(1) {
			t.Errorf("another %s gives the same share", name)
		}
	}
	again := deal(keyed{1}, 0, SecretB, value, 3)
	if again.share(1) != base.share(1) || again.leaf(1) != base.leaf(1) {
		t.Error("dealing the same secret again gives other shares")
	}
	if b, z := base.salt(1), base.salt(2); bytes.Equal(b[:], z[:]) {
		t.Error("two recipients have the same salt")
	}
}
