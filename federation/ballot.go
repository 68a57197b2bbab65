package federation

import (
	"fmt"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// Members vote on the record of a round in two phases, in views that follow each other until there is a certificate. The rules are
// those of Tendermint (Buchman, Kwon and Milosevic 2018, algorithm 1), with asking for the next view in place of empty votes:
//
//	view 0    whoever has computed the record, or knows that there cannot be one, prepares it; nobody proposes
//	view v    its proposer offers a record: one for which it saw a quorum of prepares, with the view of those; else its own
//	          result; else the void record. A member prepares what is offered if it may
//	prepare   a quorum of them in one view makes a lock: whoever sees it, and has what the record names, commits. What a vote is for is
//	          on the disk before the vote leaves
//	commit    a quorum of them in one view is the certificate
//	next      a member whose time for a view is up asks for the next one; a quorum of askers enters it, and more than can be
//	          dishonest make the others ask too
//
// A member prepares once per view. With a lock it prepares another record only when that is offered with a quorum of
// prepares of its lock's view or a later one. So once a quorum has committed, no other record can get a quorum of prepares in
// any later view while fewer than a third of the members lie.
//
// A record that ends the epoch is prepared by whoever holds the approval of a quorum of owners, and by nobody else (approval.go).
// Otherwise a member has reason to prepare a record if it computed it from public messages, or if more members prepared it than can be
// dishonest; the void record, if it knows that no sum can be opened, or has none when a view ends without a decision; either, if a
// quorum of prepares is pointed to, since somebody may be locked on it. What canary sets change is said in canary.go.

// A place is a record in a view: what is voted for.
type place struct {
	view   uint64
	record cid.Cid
}

// A ballot is what a member knows of the voting on a round.
type ballot struct {
	open     bool // voting has begun here
	view     uint64
	asked    uint64    // the newest view this member asked for, or entered
	deadline time.Time // of the view; zero before voting is open
	since    time.Time // when the view was entered

	lock      place // of the newest own commit; record undefined while there is none
	prepared  map[uint64]cid.Cid
	committed map[uint64]cid.Cid

	prepares map[place]map[int]*stored
	commits  map[place]map[int]ledger.Signature
	asks     map[int]uint64 // newest view that a member asked for
	offers   map[uint64]*offer
}

// An offer is what the proposer of a view wants to be prepared.
type offer struct {
	cid    cid.Cid
	record *ledger.Round
	shown  int64 // view of the quorum of prepares that it points to, or -1
}

func newBallot() ballot {
	return ballot{prepared: map[uint64]cid.Cid{}, committed: map[uint64]cid.Cid{}, prepares: map[place]map[int]*stored{},
		commits: map[place]map[int]ledger.Signature{}, asks: map[int]uint64{}, offers: map[uint64]*offer{}}
}

// askers counts the members that asked for a view or a later one.
func (b *ballot) askers(view uint64) (n int) {
	for _, v := range b.asks {
		if v >= view {
			n++
		}
	}
	return n
}

// reached returns the newest view that that many members asked for, or 0.
func (b *ballot) reached(members int) (view uint64) {
	for _, v := range b.asks {
		if v > view && b.askers(v) >= members {
			view = v
		}
	}
	return view
}

// voters counts the members that have said anything in the voting.
func (b *ballot) voters() int {
	who := map[int]bool{}
	for i := range b.asks {
		who[i] = true
	}
	for _, by := range b.prepares {
		for i := range by {
			who[i] = true
		}
	}
	for _, by := range b.commits {
		for i := range by {
			who[i] = true
		}
	}
	return len(who)
}

// vouchers counts the members that have prepared a record, in whatever view.
func (b *ballot) vouchers(record cid.Cid) int {
	who := map[int]bool{}
	for p, by := range b.prepares {
		if p.record.Equals(record) {
			for i := range by {
				who[i] = true
			}
		}
	}
	return len(who)
}

// newest returns the place with a quorum of prepares in the newest view, or one without a record.
func (b *ballot) newest(quorum int) (best place) {
	for p, by := range b.prepares {
		if len(by) >= quorum && (!best.record.Defined() || p.view > best.view) {
			best = p
		}
	}
	return best
}

// allows says whether the lock permits to prepare what is offered.
func (b *ballot) allows(o *offer, quorum int) bool {
	if !b.lock.record.Defined() || b.lock.record.Equals(o.cid) {
		return true
	}
	return o.shown >= int64(b.lock.view) && len(b.prepares[place{uint64(o.shown), o.cid}]) >= quorum
}

// onPrepare files the first vote of a view.
func (m *Machine) onPrepare(s *stored) error {
	record, err := decodePrepare(s.env.Body)
	if err != nil {
		return err
	}
	p := place{s.env.Seq, record}
	b := &m.r.ballot
	if b.prepares[p] == nil {
		b.prepares[p] = map[int]*stored{}
	}
	b.prepares[p][s.from] = s
	if s.from == m.self {
		b.prepared[p.view] = record
	}
	return nil
}

// onCommit files the second vote of a view.
func (m *Machine) onCommit(s *stored) error {
	signature, record, err := decodeCommit(s.env.Body, s.from)
	if err != nil {
		return err
	}
	p := place{s.env.Seq, record}
	if err := signature.Verify(m.epoch, p.view, record); err != nil {
		return err
	}
	b := &m.r.ballot
	if b.commits[p] == nil {
		b.commits[p] = map[int]ledger.Signature{}
	}
	b.commits[p][s.from] = signature
	if b.open && p.view == b.view {
		m.pace.note(typeCommit, m.now.Sub(b.since))
	}
	if s.from == m.self {
		b.committed[p.view] = record
	}
	return nil
}

// onNext files that a member wants to go on to a view.
func (m *Machine) onNext(s *stored) error {
	if err := emptyBody(s.env.Body); err != nil {
		return err
	}
	b := &m.r.ballot
	b.asks[s.from] = max(b.asks[s.from], s.env.Seq)
	if s.from == m.self {
		b.asked = max(b.asked, s.env.Seq)
	}
	return nil
}

// onOffer files what the proposer of a view wants.
func (m *Machine) onOffer(s *stored) error {
	if s.from != m.proposer(s.env.Seq) {
		return fmt.Errorf("%w: it is another member's turn to propose", errBody)
	}
	shown, document, err := decodeOffer(s.env.Body)
	if err == nil && shown >= int64(s.env.Seq) {
		err = fmt.Errorf("%w: offer in view %d that points to view %d", errBody, s.env.Seq, shown)
	}
	if err != nil {
		return err
	}
	record, err := ledger.DecodeRound(document)
	if err == nil {
		err = m.chain.Check(record)
	}
	if err != nil {
		return fmt.Errorf("the offered record: %w", err)
	}
	m.r.ballot.offers[s.env.Seq] = &offer{record.CID(), record, shown}
	return nil
}
