package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"
)

// An Epoch is a fixed list of members and rules. Epoch 0 follows from the genesis. A later one begins with the round after the
// record that names it, which a quorum of the epoch before has certified; what may change is said at CheckNext.
type Epoch struct {
	Genesis cid.Cid
	K       uint64
	Prev    cid.Cid // of epoch K-1; undefined for K = 0
	Members []Member
	Heads   []Head
	Local   []string // keys of heads that stay with their owners however many use them, ascending: the weights have no part for them
	Rules   Rules
	Rotated []Rotation // members of the epoch before that go on with other keys, ascending by the old key
	Reason  string     // why the change was proposed, for people
}

// A Rotation says that a member goes on with another signing key. With Old and New equal only its peer id is another.
type Rotation struct{ Old, New MemberID }

// maxReason bounds Epoch.Reason in bytes.
const maxReason = 500

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
	// What is empty is left out: documents that have none of it keep the encoding from before there was any.
	if len(e.Local) > 0 {
		f["local"] = textList(e.Local)
	}
	if len(e.Rotated) > 0 {
		rotated := make(list, len(e.Rotated))
		for i, r := range e.Rotated {
			rotated[i] = fields{"old": bytes.Clone(r.Old[:]), "new": bytes.Clone(r.New[:])}
		}
		f["rotated"] = rotated
	}
	if e.Reason != "" {
		f["reason"] = e.Reason
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
		e.readChange(r)
	}, e.Encode)
	if err == nil {
		err = e.validate()
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

// readChange reads the fields that epoch 0 does not have.
func (e *Epoch) readChange(r reader) {
	if r.has("local") {
		e.Local = r.texts("local", MaxHeads)
	}
	if r.has("rotated") {
		r.each("rotated", MaxMembers, func(r reader) {
			e.Rotated = append(e.Rotated, Rotation{Old: r.hash("old"), New: r.hash("new")})
		})
	}
	if r.has("reason") {
		e.Reason = r.text("reason")
	}
}

func (e *Epoch) validate() error {
	if (e.K > 0) != e.Prev.Defined() {
		return errors.New("epoch: exactly the epochs after the first name the one before")
	}
	if e.K == 0 && (len(e.Local) > 0 || len(e.Rotated) > 0 || e.Reason != "") {
		return errors.New("epoch: the first one changes nothing: it follows from the genesis")
	}
	if len(e.Reason) > maxReason {
		return fmt.Errorf("epoch: a reason of %d bytes, want at most %d", len(e.Reason), maxReason)
	}
	for i, key := range e.Local {
		if i > 0 && e.Local[i-1] >= key || !slices.ContainsFunc(e.Heads, func(h Head) bool { return h.Key == key }) {
			return fmt.Errorf("epoch: the heads that stay local must be listed, different and ascending; %.40q is not", key)
		}
	}
	for i := range e.Rotated {
		if i > 0 && bytes.Compare(e.Rotated[i-1].Old[:], e.Rotated[i].Old[:]) >= 0 {
			return errors.New("epoch: rotated keys must be different and ascending by the old one")
		}
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

// Shared returns the keys of the heads that have enough members to be trained together, ascending. The others, and those that
// Local lists, stay with their owners: nothing of them is in the certified weights.
func (e *Epoch) Shared() (keys []string) {
	for _, h := range e.Heads {
		if len(e.HeadMembers(h.Key)) >= e.Rules.MinGroup && !slices.Contains(e.Local, h.Key) {
			keys = append(keys, h.Key)
		}
	}
	return keys
}
