package secagg

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// call takes one step of member 0 with what the party has so far.
func (p *party) call(at stage) error {
	m := p.members[0]
	var err error
	switch at {
	case atShares:
		_, err = m.Shares(p.in.Keys)
	case atConfirm:
		_, err = m.Confirm(p.in.Shares)
	case atMask:
		_, err = m.Mask(p.values[0], p.confirms)
	case atSurvive:
		_, err = m.Survive(p.survivors, p.roots)
	case atUnmask:
		_, err = m.Unmask(p.in.Statements)
	}
	return err
}

func TestStepsAreTakenOnceAndInOrder(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for have := atKeys; have <= atUnmask; have++ {
			for next := atShares; next <= atUnmask; next++ {
				repeated := next == atSurvive && have >= atSurvive // see TestSecondSurvivorList
				if next == have+1 || repeated {
					continue
				}
				p := newParty(t, session(2, 3))
				if err := p.until(have); err != nil {
					t.Fatal(err)
				}
				want := ErrOrder
				if next <= have {
					want = ErrSpent
				}
				if err := p.call(next); !errors.Is(err, want) {
					t.Errorf("step %d after %d: %v, want %v", next, have, err, want)
				}
			}
		}
	})
}

func TestEraseWipesAndStops(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for have := atKeys; have <= atUnmask; have++ {
			p := newParty(t, session(2, 3))
			if err := p.until(have); err != nil {
				t.Fatal(err)
			}
			m := p.members[0]
			held := m.peers[1]
			m.Erase()
			for next := atShares; next <= atUnmask; next++ {
				if err := p.call(next); !errors.Is(err, ErrErased) {
					t.Errorf("step %d after Erase at %d: %v, want %v", next, have, err, ErrErased)
				}
			}
			if m.secrets != (secrets{}) || held != nil && *held != (peer{}) {
				t.Errorf("Erase at %d left secrets", have)
			}
		}
	})
}

// TestSecretsGoWhenTheyAreNoLongerNeeded: after Mask only received shares are held, after Unmask nothing.
func TestSecretsGoWhenTheyAreNoLongerNeeded(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(3, 3))
		if err := p.until(atMask); err != nil {
			t.Fatal(err)
		}
		m := p.members[0]
		held := m.peers[2]
		if m.secrets != (secrets{}) || held.mask != (mask{}) || held.confirmKey != [32]byte{} {
			t.Error("own secrets or pair masks are kept after Mask")
		}
		if held.share[0] == [32]byte{} {
			t.Fatal("received shares are gone too early")
		}
		if err := errors.Join(p.runSurvive(), p.runUnmask()); err != nil {
			t.Fatal(err)
		}
		if m.peers != nil || *held != (peer{}) {
			t.Error("received shares are kept after Unmask")
		}
	})
}

// TestSameRootSameBytes: a restarted member says the same again, bit for bit.
func TestSameRootSameBytes(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		a, b := newParty(t, session(4, 100)), newParty(t, session(4, 100))
		if err := errors.Join(a.until(atMask), b.until(atMask)); err != nil {
			t.Fatal(err)
		}
		for i := range a.members {
			for name, pair := range map[string][2][]byte{
				"keys":   {encoded(a.in.Keys[i], (*Keys).Encode), encoded(b.in.Keys[i], (*Keys).Encode)},
				"shares": {encoded(a.in.Shares[i], (*Shares).Encode), encoded(b.in.Shares[i], (*Shares).Encode)},
				"tags":   {encoded(a.confirms[i], (*Confirm).Encode), encoded(b.confirms[i], (*Confirm).Encode)},
				"masked": {a.in.Masked[i].Chunks[0], b.in.Masked[i].Chunks[0]},
			} {
				if !bytes.Equal(pair[0], pair[1]) {
					t.Errorf("%s of member %d differ", name, i)
				}
			}
		}
	})
}

func encoded[M any](m M, encode func(*M) []byte) []byte { return encode(&m) }

// TestRestartAfterMasking: a member that restarts once its masked input is out finishes the session without masking again.
func TestRestartAfterMasking(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(3, 5))
		if err := p.until(atMask); err != nil {
			t.Fatal(err)
		}
		again, err := NewMember(p.s, 1, testRoot(1))
		if err != nil {
			t.Fatal(err)
		}
		_, err1 := again.Shares(p.in.Keys)
		_, err2 := again.Confirm(p.in.Shares)
		if err := errors.Join(err1, err2, again.ResumeMasked(p.roots[1], p.confirms)); err != nil {
			t.Fatal(err)
		}
		p.members[1] = again
		if _, err := again.Mask(p.values[1], p.confirms); !errors.Is(err, ErrSpent) {
			t.Errorf("Mask after ResumeMasked: %v, want %v", err, ErrSpent)
		}
		if err := errors.Join(p.runSurvive(), p.runUnmask()); err != nil {
			t.Fatal(err)
		}
		if got, err := Sum(p.s, p.in); err != nil || !slices.Equal(got, p.want()) {
			t.Errorf("sum %x, error %v, want %x", got, err, p.want())
		}
	})
}

func TestNothingPrintsSecrets(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(2, 3))
		if err := p.until(atConfirm); err != nil {
			t.Fatal(err)
		}
		m := p.members[0]
		r := Residual{Values: []float64{1234.5}}
		narrow := Narrowed{Lanes: []uint32{54321}, Residual: &r, Clipped: []string{"groupname"}}
		printed := ""
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
			printed += fmt.Sprintf(verb+verb, m, *m) + fmt.Sprintf(verb+verb+verb+verb, &r, r, narrow, &narrow)
		}
		for what, secret := range map[string]string{
			"z": hex.EncodeToString(m.secrets.z[:4]), "b": fmt.Sprintf("%d", m.secrets.b[:3]), "decimal z": fmt.Sprintf("%d", m.secrets.z[:3]), "residual": "1234.5", "lanes": "54321", "clipped groups": "groupname",
		} {
			if strings.Contains(printed, strings.Trim(secret, "[]")) {
				t.Errorf("%s is printed: %s", what, printed)
			}
		}
		if !strings.Contains(printed, "hidden") {
			t.Errorf("printed %s, want a word about what is hidden", printed)
		}
	})
}

func TestSecondSurvivorList(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(5, 3))
		if err := p.until(atMask); err != nil {
			t.Fatal(err)
		}
		m := p.members[0]
		first, err := m.Survive([]int{3, 1, 0, 2, 4}, p.roots)
		if err != nil {
			t.Fatal(err)
		}
		again, err := m.Survive(p.survivors, p.roots)
		if err != nil || again.Digest() != first.Digest() {
			t.Errorf("the same list again: %v", err)
		}
		if _, err := m.Survive([]int{0, 1, 2, 3}, p.roots); !errors.Is(err, ErrSpent) {
			t.Errorf("a list one shorter: %v, want %v", err, ErrSpent)
		}
		roots := map[int][32]byte{0: p.roots[0], 1: p.roots[1], 2: p.roots[2], 3: p.roots[3], 4: {1}}
		if _, err := m.Survive(p.survivors, roots); !errors.Is(err, ErrSpent) {
			t.Errorf("the same list with another root: %v, want %v", err, ErrSpent)
		}
		first.List[0].Root = [32]byte{9} // the caller's copy is its own
		if again, err := m.Survive(p.survivors, p.roots); err != nil || again.List[0].Root != p.roots[0] {
			t.Errorf("changing the returned statement changed the member's: %v", err)
		}
	})
}

func TestSurviveRefuses(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for _, c := range []struct {
			name string
			list []int
			want error
			root func(map[int][32]byte)
		}{
			{name: "without itself", list: []int{1, 2, 3}, want: ErrView},
			{name: "too few", list: []int{0, 1, 2}, want: ErrThreshold},
			{name: "a member twice", list: []int{0, 1, 2, 2}},
			{name: "a member that is not in the roster", list: []int{0, 1, 2, 7}, want: ErrView},
			{name: "a negative index", list: []int{0, 1, 2, -1}, want: ErrView},
			{name: "a root missing", list: []int{0, 1, 2, 3}, root: func(r map[int][32]byte) { delete(r, 2) }},
			{name: "the own root altered", list: []int{0, 1, 2, 3}, want: ErrView, root: func(r map[int][32]byte) { r[0] = [32]byte{1} }},
			{name: "one that did not confirm", list: []int{0, 1, 2, 4}, want: ErrView},
		} {
			p := newParty(t, session(5, 3))
			p.leave[4] = atShares
			if err := p.until(atMask); err != nil {
				t.Fatal(err)
			}
			p.roots[4] = [32]byte{4}
			if c.root != nil {
				c.root(p.roots)
			}
			if got, err := p.members[0].Survive(c.list, p.roots); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: %v, error %v, want %v", c.name, got.List, err, c.want)
			}
		}
	})
}

func TestMaskRefuses(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		p := newParty(t, session(4, 3))
		if err := p.until(atConfirm); err != nil {
			t.Fatal(err)
		}
		m := p.members[0]
		if _, err := m.Mask(make([]uint32, 4), p.confirms); err == nil {
			t.Error("four values in a session of three lanes were masked")
		}
		few := map[int]Confirm{1: p.confirms[1]}
		if _, err := m.Mask(p.values[0], few); !errors.Is(err, ErrThreshold) {
			t.Errorf("with two confirmations of three: %v, want %v", err, ErrThreshold)
		}
		if _, err := m.Mask(p.values[0], p.confirms); err != nil {
			t.Errorf("after refusals that masked nothing: %v", err)
		}
	})
}
