package federation

import (
	"fmt"
	"maps"
	"slices"
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

// proposer returns who offers a record in a view. In view 0 nobody does.
func (m *Machine) proposer(view uint64) int { return m.turn(view) }

// vote does what is due in the voting, and says whether it did anything.
func (m *Machine) vote() bool {
	if !m.openVoting() {
		return false
	}
	return m.followViews() || m.offer() || m.prepare() || m.commit() || m.endView()
}

// openVoting says whether this member votes yet: it has something to vote for, or more others vote than can be dishonest, or
// it has waited in vain for shares to be completed.
func (m *Machine) openVoting() bool {
	b := &m.r.ballot
	if b.open {
		return true
	}
	vain := m.inVain()
	if !vain && !m.value().Defined() && b.voters() <= m.spare() {
		return false
	}
	b.open = true
	m.enterView(b.view)
	if vain {
		b.deadline = m.now // there is nothing to wait for in this view
	}
	return true
}

// inVain says whether opened shares were not completed for so long that waiting is useless.
func (m *Machine) inVain() bool {
	r := m.r
	return !r.vain.IsZero() && !m.now.Before(r.vain.Add(m.patience())) && !m.concluding()
}

// concluding says whether a sum is open and its record under way, or being tried on the canary sets.
func (m *Machine) concluding() bool {
	for _, a := range m.r.attempts {
		if a.setup != nil {
			return true
		}
	}
	return m.judging()
}

// value returns the record that this member found, unless the canary sets speak against it, or that of the epoch that a quorum of owners
// wants next, or the void one if it knows that there cannot be another; else an undefined CID.
func (m *Machine) value() cid.Cid {
	if m.r.own.Defined() {
		return m.judgement()
	}
	if m.r.change.Defined() {
		return m.r.change
	}
	if m.r.mustVoid != "" {
		return m.chain.NextVoid().CID()
	}
	return cid.Undef
}

// result returns a record with all that it names, or nil when this member does not have that.
func (m *Machine) result(record cid.Cid) *result {
	if x := m.r.results[record]; x != nil {
		return x
	}
	if void := m.chain.NextVoid(); record.Equals(void.CID()) {
		return &result{record: void, cid: record, weights: m.r.weights, state: m.r.state.set}
	}
	return nil
}

// enterView begins a view.
func (m *Machine) enterView(view uint64) {
	b := &m.r.ballot
	b.view, b.asked, b.since, b.deadline = view, max(b.asked, view), m.now, m.now.Add(m.viewTime(view))
	if view > 0 {
		m.tell(Info, "voting on the round goes on in view %d; %s proposes", view, m.name(m.proposer(view)))
	}
}

// followViews enters the view that a quorum asked for, and asks for one that more ask for than can be dishonest.
func (m *Machine) followViews() bool {
	b := &m.r.ballot
	if view := b.reached(m.quorum); view > b.view {
		m.enterView(view)
		return true
	}
	if view := b.reached(m.spare() + 1); view > b.asked {
		m.say(typeNext, roundLevel, view, []byte{bodyVersion})
		return true
	}
	return false
}

// endView asks for the next view when time is up.
func (m *Machine) endView() bool {
	b := &m.r.ballot
	if b.asked > b.view || m.now.Before(b.deadline) {
		return false
	}
	m.tell(Info, "no certificate in view %d of the voting; asking for the next", b.view)
	m.say(typeNext, roundLevel, b.view+1, []byte{bodyVersion})
	return true
}

// offer is the proposer's task.
func (m *Machine) offer() bool {
	b := &m.r.ballot
	if b.view == 0 || m.proposer(b.view) != m.self || b.offers[b.view] != nil {
		return false
	}
	record, shown := m.value(), int64(-1)
	if best := b.newest(m.quorum); best.record.Defined() {
		record, shown = best.record, int64(best.view)
	}
	if !record.Defined() && m.judging() {
		return false
	}
	if !record.Defined() {
		record = m.chain.NextVoid().CID()
	}
	x := m.result(record)
	if x == nil { // whoever committed to it has it, and will offer it in turn
		record, shown = m.chain.NextVoid().CID(), -1
		if value := m.value(); value.Defined() {
			record = value
		}
		if x = m.result(record); x == nil {
			return false // its files are on their way from the own disk
		}
	}
	m.cast(typeOffer, encodeOffer(shown, x.record.Encode()))
	return b.offers[b.view] != nil
}

// prepare casts the first vote of the view.
func (m *Machine) prepare() bool {
	b := &m.r.ballot
	if b.prepared[b.view].Defined() {
		return false
	}
	o := b.offers[b.view]
	if b.view == 0 {
		o = &offer{cid: m.value(), shown: -1}
	}
	if o == nil || !o.cid.Defined() || !b.allows(o, m.quorum) || !m.reasonFor(o) {
		return false
	}
	x := m.result(o.cid)
	if x == nil {
		return false // voted for in an earlier life; its files are on their way from the own disk
	}
	m.forgoIfVoid(o.cid)
	m.keepFiles(x)
	m.cast(typePrepare, encodePrepare(o.cid))
	m.tell(Debug, "prepared record %s in view %d", o.cid, b.view)
	return true
}

// reasonFor says whether this member may prepare what is offered, locks apart.
func (m *Machine) reasonFor(o *offer) bool {
	void := o.cid.Equals(m.chain.NextVoid().CID())
	if value := m.value(); value.Defined() && value.Equals(o.cid) {
		return true
	}
	if o.record != nil && o.record.Kind == ledger.Change {
		return m.result(o.cid) != nil // with the consent of a quorum of owners, and only then
	}
	shown := o.shown >= 0 && len(m.r.ballot.prepares[place{uint64(o.shown), o.cid}]) >= m.quorum
	if void && shown {
		return true
	}
	if !void && (shown || m.r.ballot.vouchers(o.cid) > m.spare() && !m.objects(o.cid)) {
		if m.result(o.cid) == nil {
			m.want(o.record)
			return false
		}
		return true
	}
	return void && !m.value().Defined() && !m.concluding()
}

// commit casts the second vote of the view: the record is locked, and what it names is durable first.
func (m *Machine) commit() bool {
	b := &m.r.ballot
	if b.committed[b.view].Defined() {
		return false
	}
	for p, by := range b.prepares {
		if p.view != b.view || len(by) < m.quorum {
			continue
		}
		x := m.result(p.record)
		if x == nil {
			return false
		}
		m.forgoIfVoid(p.record)
		m.keepFiles(x)
		m.keepLock(p)
		s := ledger.Sign(m.cfg.Key, m.self, p.view, p.record)
		m.cast(typeCommit, encodeCommit(s, p.record))
		m.tell(Debug, "committed to record %s in view %d", p.record, p.view)
		return true
	}
	return false
}

// keepFiles makes durable what a vote is for, once: the record and the files that it names.
func (m *Machine) keepFiles(x *result) {
	if len(x.files) == 0 && x.epoch == nil || x.kept {
		return
	}
	x.kept = true
	if x.epoch != nil {
		m.keepApprovals(x)
		return
	}
	m.do(Store{m.r.number, x.files})
	m.note(Entry{[]byte(candidatePrefix + x.cid.String()), x.record.Encode()})
}

// keepLock makes durable the prepares that show a lock to others.
func (m *Machine) keepLock(p place) {
	m.r.ballot.lock = p
	m.note(Entry{[]byte(lockKey), encodeLock(p, m.r.ballot.prepares[p])})
}

// cast says a vote or an offer in the own view, after it is durable.
func (m *Machine) cast(kind string, body []byte) {
	view := m.r.ballot.view
	m.sayPromised(roundLevel, kind, view, body, voteKey(kind, view))
}

// forgoIfVoid promises never to open shares of the trunk, before a vote for the void record.
func (m *Machine) forgoIfVoid(record cid.Cid) {
	if record.Equals(m.chain.NextVoid().CID()) && !m.r.consumed && !m.r.forfeited {
		m.forgo()
	}
}

// prove lists the envelopes of votes, by member.
func prove(by map[int]*stored) (out [][]byte) {
	for _, i := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[i].raw)
	}
	return out
}
