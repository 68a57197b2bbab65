package ledger

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ipfs/go-cid"
)

// Limits of the documents.
const (
	MaxMembers   = 200
	MaxHeads     = 64
	MaxElements  = 128
	MaxAddresses = 64
	MaxGenesis   = 1 << 20 // bytes
	MaxEpoch     = 1 << 20
)

// A MemberID is the Ed25519 public key that checks a member's signatures. It is not the key of its libp2p host.
type MemberID [ed25519.PublicKeySize]byte

// String is the hex form that people see.
func (id MemberID) String() string { return hex.EncodeToString(id[:]) }

// A Member is an institution's node. Its place in the list of members is its index.
type Member struct {
	ID        MemberID
	Name      string   // for people
	Peer      string   // libp2p peer id, in text form; opaque here
	Addresses []string // multiaddresses without /p2p/; hints
	Heads     []string // keys of the conventions its labels are made under, ascending
}

// A Head is one label convention and the part of the model that predicts under it.
type Head struct {
	Key        string  // identity key of the convention; names the tensors heads/<key>/...
	Name       string  // for people
	Convention cid.Cid // of the file heads/<key>.json
	Canary     cid.Cid // of the file canaries/<key>.xyz, public frames that new weights are tried on before they are voted for; undefined for none
}

// Genesis starts a federation; its CID is the federation's name.
type Genesis struct {
	Name     string
	Created  uint64   // Unix time, seconds
	Config   cid.Cid  // of the file config.json
	Weights  cid.Cid  // of the initial model.safetensors
	Elements []string // type map of the model
	Members  []Member
	Heads    []Head // ascending by key
	Rules    Rules
}

// Encode returns the canonical bytes.
func (g *Genesis) Encode() []byte {
	return marshal(fields{
		"fedlam": "genesis/1", "name": g.Name, "created": g.Created, "config": g.Config, "weights": g.Weights,
		"elements": textList(g.Elements), "members": membersList(g.Members), "heads": headsList(g.Heads), "rules": g.Rules.fields(),
	})
}

// CID returns the name of the federation.
func (g *Genesis) CID() cid.Cid { return CIDOf(g.Encode()) }

// DecodeGenesis reads and validates a genesis document.
func DecodeGenesis(document []byte) (*Genesis, error) {
	g := new(Genesis)
	err := unmarshal("genesis", document, MaxGenesis, func(r reader) {
		wantType(r, "genesis/1")
		g.Name, g.Created = r.text("name"), r.uint("created", 1<<52)
		g.Config, g.Weights = r.cid("config"), r.cid("weights")
		g.Elements = r.texts("elements", MaxElements)
		g.Members, g.Heads = readMembers(r), readHeads(r)
		r.in("rules", g.Rules.read)
	}, g.Encode)
	if err == nil {
		err = g.Validate()
	}
	if err != nil {
		return nil, err
	}
	return g, nil
}

func wantType(r reader, want string) {
	if got := r.text("fedlam"); got != want {
		r.fail("it is a %.40q, want %q", got, want)
	}
}

// Validate refuses a genesis that no federation can start from.
func (g *Genesis) Validate() error {
	switch {
	case g.Name == "" || len(g.Name) > 100:
		return errors.New("genesis: the name must have 1 to 100 bytes")
	case !g.Config.Defined() || !g.Weights.Defined():
		return errors.New("genesis: the CIDs of configuration and weights are needed")
	case len(g.Elements) == 0 || len(g.Elements) > MaxElements:
		return fmt.Errorf("genesis: %d elements, want 1 to %d", len(g.Elements), MaxElements)
	case slices.ContainsFunc(g.Elements, func(s string) bool { return s == "" || len(s) > 16 }):
		return errors.New("genesis: element names must have 1 to 16 bytes")
	}
	if err := checkHeads(g.Heads); err != nil {
		return err
	}
	if err := checkMembers(g.Members, g.Heads); err != nil {
		return err
	}
	return g.Rules.Validate()
}

func checkHeads(heads []Head) error {
	if len(heads) > MaxHeads {
		return fmt.Errorf("heads: %d, want at most %d", len(heads), MaxHeads)
	}
	for k, h := range heads {
		switch {
		case h.Key == "" || len(h.Key) > 100 || strings.Trim(h.Key, keyLetters) != "" || strings.HasPrefix(h.Key, "."):
			return fmt.Errorf("head %d: key %.40q must be 1 to 100 letters, digits, - _ and .", k, h.Key)
		case len(h.Name) > 200 || !h.Convention.Defined():
			return fmt.Errorf("head %q: a name of at most 200 bytes and the CID of the convention are needed", h.Key)
		case k > 0 && heads[k-1].Key >= h.Key:
			return fmt.Errorf("head %q: keys must be different and ascending", h.Key)
		}
	}
	return nil
}

const keyLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

func checkMembers(members []Member, heads []Head) error {
	if len(members) < 2 || len(members) > MaxMembers {
		return fmt.Errorf("members: %d, want 2 to %d", len(members), MaxMembers)
	}
	seen, peers := map[MemberID]bool{}, map[string]bool{}
	for _, m := range members {
		switch {
		case seen[m.ID] || peers[m.Peer]:
			return fmt.Errorf("member %q: its key or peer id occurs twice", m.Name)
		case m.Name == "" || len(m.Name) > 100 || m.Peer == "" || len(m.Peer) > 200:
			return fmt.Errorf("member %s: a name of 1 to 100 and a peer id of 1 to 200 bytes are needed", m.ID)
		case slices.ContainsFunc(m.Addresses, func(s string) bool { return len(s) > 500 }):
			return fmt.Errorf("member %q: an address is longer than 500 bytes", m.Name)
		}
		seen[m.ID], peers[m.Peer] = true, true
		for k, key := range m.Heads {
			if k > 0 && m.Heads[k-1] >= key {
				return fmt.Errorf("member %q: head keys must be different and ascending", m.Name)
			}
			if !slices.ContainsFunc(heads, func(h Head) bool { return h.Key == key }) {
				return fmt.Errorf("member %q uses the head %.40q, which is not in the list of heads", m.Name, key)
			}
		}
	}
	return nil
}

func membersList(members []Member) list {
	out := make(list, len(members))
	for i, m := range members {
		out[i] = fields{"id": bytes.Clone(m.ID[:]), "name": m.Name, "peer": m.Peer, "addresses": textList(m.Addresses), "heads": textList(m.Heads)}
	}
	return out
}

func readMembers(r reader) (out []Member) {
	r.each("members", MaxMembers, func(r reader) {
		out = append(out, Member{ID: r.hash("id"), Name: r.text("name"), Peer: r.text("peer"),
			Addresses: r.texts("addresses", MaxAddresses), Heads: r.texts("heads", MaxHeads)})
	})
	return out
}

func headsList(heads []Head) list {
	out := make(list, len(heads))
	for i, h := range heads {
		f := fields{"key": h.Key, "name": h.Name, "convention": h.Convention}
		if h.Canary.Defined() {
			f["canary"] = h.Canary
		}
		out[i] = f
	}
	return out
}

func readHeads(r reader) (out []Head) {
	r.each("heads", MaxHeads, func(r reader) {
		h := Head{Key: r.text("key"), Name: r.text("name"), Convention: r.cid("convention")}
		if r.has("canary") {
			h.Canary = r.cid("canary")
		}
		out = append(out, h)
	})
	return out
}
