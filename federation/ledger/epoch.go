package ledger

import (
	"errors"

	"github.com/ipfs/go-cid"
)

// An Epoch is a fixed list of members and rules. Epoch 0 follows from the genesis. Later epochs, signed by a quorum of the
// one before, are not made yet.
type Epoch struct {
	Genesis cid.Cid
	K       uint64
	Prev    cid.Cid // of epoch K-1; undefined for K = 0
	Members []Member
	Heads   []Head
	Rules   Rules
}

// Epoch returns epoch 0.
func (g *Genesis) Epoch() *Epoch {
	return &Epoch{Genesis: g.CID(), Members: g.Members, Heads: g.Heads, Rules: g.Rules}
}

// Encode returns the canonical bytes.
func (e *Epoch) Encode() []byte {
	f := fields{
		"fedlam": "epoch/1", "genesis": e.Genesis, "k": e.K,
		"members": membersList(e.Members), "heads": headsList(e.Heads), "rules": e.Rules.fields(),
	}
	if e.Prev.Defined() {
		f["prev"] = e.Prev
	}
	return marshal(f)
}

// CID returns the CID of the document.
func (e *Epoch) CID() cid.Cid { return CIDOf(e.Encode()) }

// DecodeEpoch reads and validates an epoch document.
func DecodeEpoch(document []byte) (*Epoch, error) {
	e := new(Epoch)
	err := unmarshal("epoch", document, MaxEpoch, func(r reader) {
		wantType(r, "epoch/1")
		e.Genesis, e.K = r.cid("genesis"), r.uint("k", 1<<52)
		if r.has("prev") {
			e.Prev = r.cid("prev")
		}
		e.Members, e.Heads = readMembers(r), readHeads(r)
		r.in("rules", e.Rules.read)
	}, e.Encode)
	if err == nil {
		err = e.validate()
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (e *Epoch) validate() error {
	if (e.K > 0) != e.Prev.Defined() {
		return errors.New("epoch: exactly the epochs after the first name the one before")
	}
	if err := checkHeads(e.Heads); err != nil {
		return err
	}
	if err := checkMembers(e.Members, e.Heads); err != nil {
		return err
	}
	return e.Rules.Validate()
}

// Quorum returns how many of n members decide: floor(2n/3)+1. Any two quorums share more than n/3 members.
func Quorum(n int) int { return 2*n/3 + 1 }

// Quorum returns how many members of the epoch decide.
func (e *Epoch) Quorum() int { return Quorum(len(e.Members)) }

// Index returns the place of a member, or -1.
func (e *Epoch) Index(id MemberID) int {
	for i := range e.Members {
		if e.Members[i].ID == id {
			return i
		}
	}
	return -1
}

// HeadMembers returns the indices of the members that use a head, ascending.
func (e *Epoch) HeadMembers(key string) (out []int) {
	for i := range e.Members {
		for _, k := range e.Members[i].Heads {
			if k == key {
				out = append(out, i)
			}
		}
	}
	return out
}

// Shared returns the keys of the heads that have enough members to be trained together, ascending. The others stay with
// their owners: nothing of them is in the certified weights.
func (e *Epoch) Shared() (keys []string) {
	for _, h := range e.Heads {
		if len(e.HeadMembers(h.Key)) >= e.Rules.MinGroup {
			keys = append(keys, h.Key)
		}
	}
	return keys
}
