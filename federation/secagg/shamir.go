package secagg

import (
	"errors"
	"fmt"
)

// A dealing shares one secret. Coefficients and salts are derived from the secret itself: whoever rebuilds the
// secret from t shares deals it again, gets the very shares and salts, and so proves what the dealer published wrong.
type dealing struct {
	sid    keyed
	from   int
	secret Secret
	value  [32]byte
	coeffs []element // degree 1 to t-1
}

func deal(sid keyed, from int, which Secret, value [32]byte, t int) dealing {
	d := dealing{sid: sid, from: from, secret: which, value: value, coeffs: make([]element, t-1)}
	stream := sid.derive(value[:], "polynomial", 32*(t-1), from, int(which), t)
	for k := range d.coeffs {
		d.coeffs[k] = loadElement([32]byte(stream[32*k:]))
	}
	clear(stream)
	return d
}

// share evaluates the polynomial at point to+1 by Horner's rule.
func (d *dealing) share(to int) [32]byte {
	x := byte(to + 1)
	var y element
	for k := len(d.coeffs) - 1; k >= 0; k-- {
		y.add(&d.coeffs[k])
		y.scale(x)
	}
	value := loadElement(d.value)
	y.add(&value)
	return y.bytes()
}

func (d *dealing) salt(to int) [32]byte {
	return d.sid.derive32(d.value[:], "share salt", d.from, int(d.secret), to)
}

// leaf is the published hash of a share.
func (d *dealing) leaf(to int) [32]byte {
	return shareLeaf(d.sid, d.from, to, d.secret, d.share(to), d.salt(to))
}

func (d *dealing) wipe() {
	clear(d.value[:])
	clear(d.coeffs)
}

func shareLeaf(sid keyed, from, to int, which Secret, share, salt [32]byte) [32]byte {
	h := sid.hash("share", from, to, int(which))
	h.Write(salt[:])
	h.Write(share[:])
	return sum32(h)
}

var errPoints = errors.New("secagg: shares at points that do not determine a polynomial")

// An interpolation evaluates at zero the polynomials of one degree through shares of the same members.
type interpolation struct{ weights []byte }

// newInterpolation refuses points that are zero or twice in the list: with them the result would be another number, or one
// that a single member chose.
func newInterpolation(members []int) (interpolation, error) {
	if len(members) == 0 {
		return interpolation{}, fmt.Errorf("%w: no members", errPoints)
	}
	weights, err := lagrange(members)
	return interpolation{weights}, err
}

// atZero takes the shares in the order of the members.
func (p interpolation) atZero(shares [][32]byte) ([32]byte, error) {
	if len(shares) != len(p.weights) {
		return [32]byte{}, fmt.Errorf("%w: %d members, %d shares", errPoints, len(p.weights), len(shares))
	}
	var y element
	for k := range shares {
		term := loadElement(shares[k])
		term.scale(p.weights[k])
		y.add(&term)
	}
	return y.bytes(), nil
}

// lagrange returns the weights of interpolation at zero: the product over m != k of x_m / (x_m - x_k).
func lagrange(members []int) ([]byte, error) {
	var seen [256]bool
	for _, i := range members {
		if i < 0 || i >= MaxMembers {
			return nil, fmt.Errorf("%w: member %d", errPoints, i)
		}
		if seen[i+1] {
			return nil, fmt.Errorf("%w: member %d twice", errPoints, i)
		}
		seen[i+1] = true
	}
	weights := make([]byte, len(members))
	for k, i := range members {
		num, den := byte(1), byte(1)
		for m, j := range members {
			if m != k {
				num = mul(num, byte(j+1))
				den = mul(den, byte(j+1)^byte(i+1))
			}
		}
		weights[k] = mul(num, invert(den))
	}
	return weights, nil
}
