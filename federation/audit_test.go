package federation

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/ipfs/go-cid"
)

// An audit sees everything that happens in a cluster and knows what must never happen.
type audit struct {
	faults []string
	alarms []string      // expected ones, when not nil
	seen   map[have]bool // envelopes
	story  []string

	lanes   map[[32]byte]map[int][]Contribution // by session and member: one per attempt at masking
	roots   map[string][32]byte                 // masked root by session and sender
	said    map[string][]byte                   // by place
	opened  map[string][]byte                   // opened shares by round and sender
	signed  map[string][]byte                   // votes by round, sender, type and view
	sums    []SetupTotals                       // as every member opened them
	records map[uint64]cid.Cid                  // certified
	epochs  map[cid.Cid]*ledger.Epoch
}

func newAudit() *audit {
	return &audit{seen: map[have]bool{}, lanes: map[[32]byte]map[int][]Contribution{}, roots: map[string][32]byte{}, said: map[string][]byte{}, opened: map[string][]byte{},
		signed: map[string][]byte{}, records: map[uint64]cid.Cid{}, epochs: map[cid.Cid]*ledger.Epoch{}}
}

func (a *audit) fail(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}
func (a *audit) logf(format string, args ...any) {
	a.story = append(a.story, fmt.Sprintf(format, args...))
}

// alarmed takes what a member alarms its owner about: a fault, unless the test has somebody cheat.
func (a *audit) alarmed(text string) {
	if a.alarms == nil {
		a.fail("%s", text)
		return
	}
	a.alarms = append(a.alarms, text)
}

func (a *audit) contributed(member int, x Contribution) {
	if a.lanes[x.Session] == nil {
		a.lanes[x.Session] = map[int][]Contribution{}
	}
	x.Lanes = slices.Clone(x.Lanes)
	a.lanes[x.Session][member] = append(a.lanes[x.Session][member], x)
}

func (a *audit) totals(x ApplySetup) { a.sums = append(a.sums, x.Totals) }

// sent looks at every envelope on the wire.
func (a *audit) sent(from int, raw []byte) {
	if a.seen[hashOf(raw)] {
		return
	}
	a.seen[hashOf(raw)] = true
	e, err := ledger.DecodeEnvelope(raw)
	if err != nil {
		a.fail("M%d sends garbage: %v", from, err)
		return
	}
	who := fmt.Sprintf("%x", e.From[:4])
	if e.Type != typeSync && a.alarms == nil { // nobody cheats in this test
		a.same(a.said, fmt.Sprintf("%x/%s/%s/%d", e.Session, e.Type, who, e.Seq), raw, "is said twice, differently")
	}
	switch e.Type {
	case typeMasked:
		h, err := secagg.DecodeMaskedHeader(e.Body)
		if err != nil {
			a.fail("masked header: %v", err)
			return
		}
		key := fmt.Sprintf("%x/%s", h.Session, who)
		if was, ok := a.roots[key]; ok && was != h.Root() {
			a.fail("session %s has two masked roots of one member", key)
		}
		a.roots[key] = h.Root()
	case typeUnmask:
		a.same(a.opened, fmt.Sprintf("round %d/%s", e.Round, who), raw, "opens shares twice")
	case typeOpenPair:
		if a.alarms == nil {
			a.fail("M%d opens a pair mask, and nobody lies", from)
		}
	case typePrepare, typeCommit:
		a.same(a.signed, fmt.Sprintf("round %d/%s/%s/view %d", e.Round, who, e.Type, e.Seq), raw, "votes twice")
	}
}

func (a *audit) same(seen map[string][]byte, key string, raw []byte, what string) {
	if was, ok := seen[key]; ok && !bytes.Equal(was, raw) {
		a.fail("%s %s", key, what)
	}
	seen[key] = raw
}

// published checks a certified round against the contributions.
func (a *audit) published(c *cluster, p Publish) {
	if len(p.Epoch) > 0 {
		next, err := ledger.DecodeEpoch(p.Epoch)
		if err != nil {
			a.fail("published epoch: %v", err)
			return
		}
		a.epochs[next.CID()] = next
	}
	first := c.genesis.Epoch()
	a.epochs[first.CID()] = first
	r, err := ledger.DecodeRound(p.Record)
	if err != nil {
		a.fail("published record: %v", err)
		return
	}
	was, known := a.records[r.R]
	if known && !was.Equals(r.CID()) {
		a.fail("round %d has two certified records", r.R)
	}
	if known {
		return // checked when it was certified, perhaps in another run
	}
	a.records[r.R] = r.CID()
	for _, g := range r.Groups {
		parts := map[int][]uint32{} // by cohort
		for _, s := range g.Survivors {
			all := a.lanes[g.Session][c.byID(a.epochs[r.Epoch].Members[s].ID).index]
			if len(all) != 1 {
				a.fail("member %d masked %d vectors in the certified session of %s, want 1", s, len(all), g.Name)
				return
			}
			x := all[0]
			if parts[x.Cohort] == nil {
				parts[x.Cohort] = make([]uint32, len(x.Lanes))
			}
			for k, v := range x.Lanes {
				parts[x.Cohort][k] = (parts[x.Cohort][k] + v) & (1<<x.Bits - 1)
			}
		}
		var sum []uint32
		for _, cohort := range slices.Sorted(maps.Keys(parts)) {
			sum = append(sum, parts[cohort]...)
		}
		if AggregateRoot(sum) != g.Aggregate {
			a.fail("round %d: the certified sum of %s is not that of members %v", r.R, g.Name, g.Survivors)
		}
	}
}

// check is called at the end of a run.
func (a *audit) check(c *cluster) {
	c.t.Helper()
	for _, n := range c.nodes {
		chain := ledger.NewChain(c.genesis)
		for k := uint64(0); n.disk[string(RecordKey(k))] != nil; k++ {
			if _, _, err := chain.Append(n.finished(k)); err != nil {
				a.fail("M%d has a chain that does not hold: %v", n.index, err)
				break
			}
			if !chain.LastCID().Equals(a.records[k]) {
				a.fail("M%d has another record of round %d than the rest", n.index, k)
			}
		}
	}
	if len(a.faults) > 0 {
		const last = 80
		c.t.Errorf("%s\n--- what happened last ---\n%s", strings.Join(a.faults, "\n"), strings.Join(a.story[max(0, len(a.story)-last):], "\n"))
	}
}

// kinds lists the kinds of the certified rounds.
func (c *cluster) kinds() (out []string) {
	for k := uint64(0); ; k++ {
		var record []byte
		for _, n := range c.nodes {
			if r := n.disk[string(RecordKey(k))]; r != nil {
				record = r
			}
		}
		if record == nil {
			return out
		}
		r, err := ledger.DecodeRound(record)
		if err != nil {
			c.t.Fatal(err)
		}
		out = append(out, r.Kind)
	}
}
