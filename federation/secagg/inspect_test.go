package secagg

import (
	"bytes"
	"slices"
	"testing"
)

func TestInspect(t *testing.T) {
	for _, c := range []struct {
		name                              string
		change                            func(p *party)
		otherKeys, otherShares, open, bad []int
	}{
		{"as it was", func(*party) {}, nil, nil, []int{0, 1, 2}, nil},
		{"a dealer bound other keys", func(p *party) {
			s := reshare(p.in.Shares[1])
			s.View[3] ^= 1
			p.in.Shares[1] = s
		}, []int{1}, []int{0, 1, 2}, nil, nil},
		{"a dealer left somebody out", func(p *party) {
			s := reshare(p.in.Shares[1])
			s.Deals = s.Deals[1:]
			p.in.Shares[1] = s
		}, []int{1}, []int{0, 1, 2}, nil, nil},
		{"keys that nobody dealt for", func(p *party) {
			k := p.in.Keys[2]
			k.Commitment[0] ^= 1
			p.in.Keys[2] = k
		}, []int{0, 1, 2}, []int{0, 1, 2}, nil, nil},
		{"keys are missing", func(p *party) { delete(p.in.Keys, 2) }, []int{0, 1, 2}, []int{0, 1, 2}, nil, nil},
		{"one stated other shares", func(p *party) {
			s := p.in.Statements[2]
			s.View[0] ^= 1
			p.in.Statements[2] = s
		}, nil, []int{2}, nil, nil}, // two equal statements of three are no quorum
		{"one opened another share", func(p *party) {
			u := p.in.Unmasks[0]
			u.Opened = slices.Clone(u.Opened)
			u.Opened[1].Share[0] ^= 1
			p.in.Unmasks[0] = u
		}, nil, nil, []int{1, 2}, []int{0}},
		{"one opened too few", func(p *party) {
			u := p.in.Unmasks[0]
			u.Opened = u.Opened[1:]
			p.in.Unmasks[0] = u
		}, nil, nil, []int{1, 2}, []int{0}},
		{"messages of somebody else", func(p *party) {
			p.in.Unmasks[0], p.in.Shares[9] = p.in.Unmasks[1], p.in.Shares[1]
		}, nil, nil, []int{1, 2}, nil},
		{"nothing", func(p *party) { p.in = Transcript{} }, nil, nil, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newParty(t, testSession(3, 3))
			if err := p.until(atUnmask); err != nil {
				t.Fatal(err)
			}
			c.change(p)
			got := Inspect(p.s, p.in)
			if !slices.Equal(got.OtherKeys, c.otherKeys) || !slices.Equal(got.OtherShares, c.otherShares) || !slices.Equal(got.Opened, c.open) || !slices.Equal(got.Wrong, c.bad) {
				t.Errorf("%+v, want other keys %v, other shares %v, opened %v, wrong %v", got, c.otherKeys, c.otherShares, c.open, c.bad)
			}
		})
	}
}

// TestInspectViews compares the views with those that members bound.
func TestInspectViews(t *testing.T) {
	p := newParty(t, testSession(4, 3))
	if err := p.until(atUnmask); err != nil {
		t.Fatal(err)
	}
	got := Inspect(p.s, p.in)
	if want := p.in.Shares[1].View; !bytes.Equal(got.Keys[:], want[:]) {
		t.Errorf("view of the keys %x, a dealer bound %x", got.Keys, want)
	}
	if want := p.confirms[2].View; got.Shares != want {
		t.Errorf("view of the shares %x, a member confirmed %x", got.Shares, want)
	}
}
