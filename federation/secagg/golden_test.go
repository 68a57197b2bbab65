package secagg

import (
	"fmt"
	"testing"
)

const (
	goldenSID    = "c17c1f03a87016ef9fd96885d8e04c61b6373402578dbaac26a985c0324cd7a0"
	goldenRoster = "68a3f1935ade75365516db4bb78d2de84843342bbb739a997e99bcee9c32ee89"
	goldenRun    = "ed62744f0b7e22985de2d66b774805522ce9bd64a1e1d4873cfa31268be0267f"
	goldenRun16  = "550352c37556fab2a410f0655360e32bd98d68c82b912d3ae3d9632a11ab7298"
)

func TestGoldenSessionID(t *testing.T) {
	c := Context{
		Genesis: []byte("genesis"), Round: 7, Attempt: 2, PrevCertificate: []byte("previous"), WeightsIn: []byte("weights"),
		Config: []byte("config"), Roster: [][32]byte{fill32(1), fill32(2)}, Group: "trunk",
	}
	if got := fmt.Sprintf("%x", c.ID()); got != goldenSID {
		t.Errorf("session id %s, want %s", got, goldenSID)
	}
	if got := fmt.Sprintf("%x", RosterHash(c.Roster)); got != goldenRoster {
		t.Errorf("roster hash %s, want %s", got, goldenRoster)
	}
}

func TestSessionIDBindsEveryField(t *testing.T) {
	base := Context{Genesis: []byte("g"), PrevCertificate: []byte("p"), WeightsIn: []byte("w"), Config: []byte("c"), Roster: testRoster(3), Group: "trunk"}
	seen := map[[32]byte]string{base.ID(): "the same context"}
	for name, change := range map[string]func(*Context){
		"genesis":              func(c *Context) { c.Genesis = []byte("h") },
		"round":                func(c *Context) { c.Round = 1 },
		"attempt":              func(c *Context) { c.Attempt = 1 },
		"certificate":          func(c *Context) { c.PrevCertificate = []byte("q") },
		"no certificate":       func(c *Context) { c.PrevCertificate = nil },
		"weights":              func(c *Context) { c.WeightsIn = []byte("v") },
		"config":               func(c *Context) { c.Config = []byte("d") },
		"shorter roster":       func(c *Context) { c.Roster = c.Roster[:2] },
		"roster order":         func(c *Context) { c.Roster = [][32]byte{c.Roster[1], c.Roster[0], c.Roster[2]} },
		"group":                func(c *Context) { c.Group = "head" },
		"bytes across a field": func(c *Context) { c.WeightsIn, c.Config = []byte("wc"), nil },
		"and the other way":    func(c *Context) { c.WeightsIn, c.Config = nil, []byte("wc") },
	} {
		c := base
		change(&c)
		if other, twice := seen[c.ID()]; twice {
			t.Errorf("changing %s gives the id of %s", name, other)
		}
		seen[c.ID()] = name
	}
}

// TestGoldenRun pins every derivation: a session with known roots, one dropout, and what it publishes. A change here is
// a change of protocol and needs another domain string.
func TestGoldenRun(t *testing.T) {
	for _, c := range []struct {
		bits int
		want string
	}{{0, goldenRun}, {32, goldenRun}, {16, goldenRun16}} {
		s := testSession(4, 9)
		s.Bits = c.bits
		if got := hashRun(t, s); got != c.want {
			t.Errorf("%d bits: transcript hash %s, want %s", c.bits, got, c.want)
		}
	}
}

func hashRun(t *testing.T, s Session) string {
	t.Helper()
	p := newParty(t, s)
	p.leave[1] = atConfirm
	if err := p.until(atUnmask); err != nil {
		t.Fatal(err)
	}
	o, err := Open(p.s, p.in)
	if err != nil {
		t.Fatal(err)
	}
	h := newHash("golden")
	for _, i := range []int{0, 1, 2, 3} {
		k, s, c, m := p.in.Keys[i], p.in.Shares[i], p.confirms[i], p.in.Masked[i]
		for _, body := range [][]byte{k.Encode(), s.Encode(), c.Encode(), m.Header.Encode()} {
			h.Write(body)
		}
		st, u := p.in.Statements[i], p.in.Unmasks[i]
		h.Write(st.Encode())
		h.Write(u.Encode())
	}
	root := o.Root()
	h.Write(root[:])
	return fmt.Sprintf("%x", h.Sum(nil))
}
