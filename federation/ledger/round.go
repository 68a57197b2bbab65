package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
)

// Kinds of rounds.
const (
	Setup = "setup" // statistics and energy references; the first round that is not void
	Train = "train" // one outer step
	Void  = "void"  // nothing came of the round: weights and optimizer are as before

	Change = "epoch" // the epoch ends: as void, and the next round belongs to the epoch that the record names
)

// Limits of a round record.
const (
	MaxRecord   = 1 << 20 // bytes
	MaxRounds   = 1 << 32
	MaxAttempts = 1 << 16
	maxMetrics  = 256
)

// A Round is the record of a finished round: what went in, what came out, and the hashes by which anyone who holds the
// messages can compute it again. Members sign its CID.
type Round struct {
	Epoch      cid.Cid
	Genesis    cid.Cid
	R          uint64
	Attempt    uint64 // which attempt succeeded; 0 in a void record
	Kind       string
	Prev       cid.Cid // record of round R-1; undefined in round 0
	WeightsIn  cid.Cid
	Config     cid.Cid
	Roster     [32]byte // RosterHash of the members of the attempt; zero in a void record
	Groups     []Group  // one per sum; none in a void record
	Elements   []uint64 // setup: how many members have the element, in the order of the genesis; otherwise empty
	StateOut   cid.Cid  // file of the outer optimizer's state
	WeightsOut cid.Cid  // file model.safetensors
	Metrics    []Metric // computed from the sums alone, ascending by name
	Next       cid.Cid  // epoch of the rounds that follow; undefined unless this round ends one
}

// A Group is one secure sum of a round: the trunk, or a head.
type Group struct {
	Name      string   // "trunk", or "head/" and the key
	Session   [32]byte // id of the secagg session
	Survivors []uint64 // indices of the members in the sum, ascending
	Masked    [32]byte // Merkle root over the masked inputs in the sum
	Seeds     [32]byte // binds the opened seeds
	Aggregate [32]byte // Merkle root over the sum
	Weight    float64  // sum of the members' weights; 0 in a setup round
}

// A Metric is a number that follows from the sums, the same for every member.
type Metric struct {
	Name  string
	Value float64
}

// Encode returns the canonical bytes.
func (r *Round) Encode() []byte {
	groups := make(list, len(r.Groups))
	for i, g := range r.Groups {
		groups[i] = fields{"name": g.Name, "session": bytes.Clone(g.Session[:]), "survivors": uintList(g.Survivors), "weight": g.Weight,
			"masked": bytes.Clone(g.Masked[:]), "seeds": bytes.Clone(g.Seeds[:]), "aggregate": bytes.Clone(g.Aggregate[:])}
	}
	metrics := make(list, len(r.Metrics))
	for i, m := range r.Metrics {
		metrics[i] = fields{"name": m.Name, "value": m.Value}
	}
	f := fields{
		"fedlam": "round/1", "epoch": r.Epoch, "genesis": r.Genesis, "r": r.R, "attempt": r.Attempt, "kind": r.Kind,
		"weights_in": r.WeightsIn, "config": r.Config, "roster": bytes.Clone(r.Roster[:]), "groups": groups,
		"elements": uintList(r.Elements), "state": r.StateOut, "weights_out": r.WeightsOut, "metrics": metrics,
	}
	if r.Prev.Defined() {
		f["prev"] = r.Prev
	}
	if r.Next.Defined() {
		f["next"] = r.Next
	}
	return marshal(f)
}

// CID is what members sign.
func (r *Round) CID() cid.Cid { return CIDOf(r.Encode()) }

// DecodeRound reads a record and checks what can be checked without the chain.
func DecodeRound(document []byte) (*Round, error) {
	o := new(Round)
	err := unmarshal("round record", document, MaxRecord, func(r reader) {
		wantType(r, "round/1")
		o.Epoch, o.Genesis = r.cid("epoch"), r.cid("genesis")
		o.R, o.Attempt, o.Kind = r.uint("r", MaxRounds), r.uint("attempt", MaxAttempts), r.text("kind")
		if r.has("prev") {
			o.Prev = r.cid("prev")
		}
		o.WeightsIn, o.Config, o.Roster = r.cid("weights_in"), r.cid("config"), r.hash("roster")
		o.Groups = readGroups(r)
		o.Elements = r.uints("elements", MaxElements, MaxMembers)
		o.StateOut, o.WeightsOut = r.cid("state"), r.cid("weights_out")
		r.each("metrics", maxMetrics, func(r reader) {
			o.Metrics = append(o.Metrics, Metric{r.text("name"), r.float("value")})
		})
		if r.has("next") {
			o.Next = r.cid("next")
		}
	}, o.Encode)
	if err != nil {
		return nil, err
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("record of round %d: %w", o.R, err)
	}
	return o, nil
}

func readGroups(r reader) (out []Group) {
	r.each("groups", MaxHeads+1, func(r reader) {
		out = append(out, Group{Name: r.text("name"), Session: r.hash("session"), Survivors: r.uints("survivors", MaxMembers, MaxMembers-1),
			Masked: r.hash("masked"), Seeds: r.hash("seeds"), Aggregate: r.hash("aggregate"), Weight: r.float("weight")})
	})
	return out
}

func (r *Round) validate() error {
	if (r.R > 0) != r.Prev.Defined() {
		return errors.New("exactly the rounds after the first name the one before")
	}
	if (r.Kind == Change) != r.Next.Defined() {
		return errors.New("exactly the rounds that end an epoch name the next one")
	}
	switch r.Kind {
	case Void, Change:
		if len(r.Groups) > 0 || len(r.Elements) > 0 || len(r.Metrics) > 0 || r.Attempt != 0 || r.Roster != [32]byte{} || !r.WeightsOut.Equals(r.WeightsIn) {
			return errors.New("it is void, or ends an epoch, and yet says that something came of it")
		}
	case Setup, Train:
		if len(r.Groups) == 0 || r.Groups[0].Name != TrunkGroup || (r.Kind == Setup) != (len(r.Elements) > 0) {
			return errors.New("its first sum must be that of the trunk, and exactly a setup round counts elements")
		}
	default:
		return fmt.Errorf("unknown kind %.20q", r.Kind)
	}
	for i, g := range r.Groups {
		if i > 1 && r.Groups[i-1].Name >= g.Name {
			return errors.New("sums over heads must be ordered by name")
		}
		for k, s := range g.Survivors {
			if k > 0 && g.Survivors[k-1] >= s {
				return fmt.Errorf("members in the sum %.40q must be ascending", g.Name)
			}
		}
	}
	for i, m := range r.Metrics {
		if i > 0 && r.Metrics[i-1].Name >= m.Name {
			return errors.New("metrics must be ordered by name")
		}
	}
	return nil
}

// TrunkGroup names the sum over the shared parameters; those of heads are named by HeadGroup.
const TrunkGroup = "trunk"

// HeadGroup names the sum over one head.
func HeadGroup(key string) string { return "head/" + key }

// RosterHash binds an ordered list of members: SHA-256 over "fedlam/v1/roster", a zero byte, their number (4 bytes) and ids.
func RosterHash(ids []MemberID) [32]byte {
	b := append([]byte("fedlam/v1/roster"), 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(ids)))
	for _, id := range ids {
		b = append(b, id[:]...)
	}
	return sha256.Sum256(b)
}
