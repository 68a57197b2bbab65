package federation

import (
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// sign puts this member's name under a record that it computed itself: one record per round, for ever, and durable before it is
// said. Votes in two phases, view changes and audits will stand here.
func (m *Machine) sign(x *result) {
	r := m.r
	r.results[x.cid] = x
	switch {
	case !r.signed.Defined():
		m.promise(Entry{[]byte(signKey), x.cid.Bytes()})
		r.signed = x.cid
	case !r.signed.Equals(x.cid):
		m.tell(Alarm, "this member signed record %s of the round and now finds %s: it signs no second one", r.signed, x.cid)
		return
	}
	s := ledger.Sign(m.cfg.Key, m.self, x.cid)
	m.say(typeSign, roundLevel, 0, encodeSign(s, x.cid))
	m.tell(Debug, "signed record %s", x.cid)
}

func (m *Machine) onSign(s *stored) error {
	signature, record, err := decodeSign(s.env.Body, s.from)
	if err != nil {
		return err
	}
	if err := signature.Verify(m.epoch, record); err != nil {
		return err
	}
	if m.r.signatures[record] == nil {
		m.r.signatures[record] = map[int]ledger.Signature{}
	}
	m.r.signatures[record][s.from] = signature
	return nil
}

// certify ends the round when a quorum has signed one record, and says whether it did.
func (m *Machine) certify() bool {
	for record, by := range m.r.signatures {
		if len(by) < m.quorum {
			continue
		}
		x := m.r.results[record]
		if void := m.chain.NextVoid(); x == nil && record.Equals(void.CID()) {
			x = &result{record: void, cid: record, weights: m.r.weights, state: m.r.state.set}
		}
		if x == nil { // others computed it; they will have the certificate, and the files that it names
			for _, i := range slices.Sorted(maps.Keys(by)) {
				if i != m.self {
					m.fetchRounds(i) // asked again later if it has nothing yet
					break
				}
			}
			return false
		}
		m.finish(x, by)
		return true
	}
	return false
}

// finish makes a certified record the newest, and begins the next round.
func (m *Machine) finish(x *result, by map[int]ledger.Signature) {
	var signatures []ledger.Signature
	for _, s := range by {
		signatures = append(signatures, s)
	}
	cert := ledger.NewCertificate(x.cid, signatures)
	f := ledger.Finished{Record: x.record.Encode(), Certificate: cert.Encode()}
	if _, _, err := m.chain.Append(f); err != nil {
		m.halt("a quorum signed a record that does not continue the chain: %v", err)
		return
	}
	m.seal(f, x.cid, cert, x)
}

// seal makes the newest certified round durable. x holds its files, nil when they have to be fetched.
func (m *Machine) seal(f ledger.Finished, record cid.Cid, cert *ledger.Certificate, x *result) {
	number := m.chain.Len() - 1
	publish := Publish{Round: number, Record: f.Record, Certificate: f.Certificate}
	if x != nil {
		publish.Files = x.files
	}
	m.do(publish)
	last := m.chain.Last()
	p := Persist{Set: []Entry{{RecordKey(number), f.Record}, {CertificateKey(number), f.Certificate}}}
	promises := m.was.promises
	if m.r != nil {
		m.carryResiduals(last)
		promises = m.r.promises
		for _, a := range m.r.attempts {
			a.erase()
		}
	}
	p.Delete = promises
	m.do(p)
	m.records, m.cert, m.r, m.was = append(m.records, record), cert.CID(), nil, restored{}
	m.do(Progress{Level: Info, Round: number, Text: certified(last, cert, m.epoch)})
	m.load(x)
}

// carryResiduals moves error feedback on to the next round: what the certified sum contains was rounded, and the rest is
// carried; what it does not contain is carried as before.
func (m *Machine) carryResiduals(last *ledger.Round) {
	at := m.version()
	for _, name := range m.groupNames() {
		kept := m.residuals[name]
		if a := m.r.attempts[last.Attempt]; a != nil && a.residual[name] != nil {
			for _, g := range last.Groups {
				if g.Name == name && slices.Contains(g.Survivors, uint64(m.self)) {
					kept = a.residual[name]
				}
			}
		}
		delete(m.residuals, name)
		if kept != nil && kept.Version == at {
			kept.Advance(digestOf(m.chain.LastCID()))
			m.residuals[name] = kept
		}
	}
}
