package federation

import (
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// certify ends the round when a quorum has committed to one record in one view, and says whether it did.
func (m *Machine) certify() bool {
	p, by, ok := m.decided()
	if !ok {
		return false
	}
	x := m.result(p.record)
	if x == nil { // others have it; they will have the certificate, and the files that it names
		m.fetchFrom(by)
		return false
	}
	m.finish(x, p.view, by)
	return true
}

// fetchFrom asks one signer after another for a round that they have: the last one may be out of reach or have nothing yet.
func (m *Machine) fetchFrom(signers map[int]ledger.Signature) {
	if m.now.Before(m.nextFetch) {
		return
	}
	n := len(m.epoch.Members)
	for k := range n {
		i := (m.lookTurn + 1 + k) % n
		if _, signed := signers[i]; signed && i != m.self {
			m.lookTurn = i
			m.fetchRounds(i)
			return
		}
	}
}

// decided returns the place with a quorum of commits. Two such records mean that at least a third of the members lie: the
// member halts.
func (m *Machine) decided() (p place, by map[int]ledger.Signature, ok bool) {
	for at, signatures := range m.r.ballot.commits {
		if len(signatures) < m.quorum {
			continue
		}
		if ok && !at.record.Equals(p.record) {
			m.keepFork(m.certificate(p), m.certificate(at))
			m.halt(twoCertificates, m.r.number, p.record, at.record)
			return p, nil, false
		}
		if !ok || at.view < p.view {
			p, by, ok = at, signatures, true
		}
	}
	return p, by, ok
}

// certificate makes one of the commits at a place.
func (m *Machine) certificate(p place) *ledger.Certificate {
	return ledger.NewCertificate(p.record, p.view, slices.Collect(maps.Values(m.r.ballot.commits[p])))
}

// finish makes a certified record the newest, and begins the next round.
func (m *Machine) finish(x *result, view uint64, by map[int]ledger.Signature) {
	cert := ledger.NewCertificate(x.cid, view, slices.Collect(maps.Values(by)))
	f := ledger.Finished{Record: x.record.Encode(), Certificate: cert.Encode(), Epoch: x.epoch}
	if _, _, err := m.chain.Append(f); err != nil {
		m.halt("a quorum signed a record that does not continue the chain: %v", err)
		return
	}
	m.seal(f, x.cid, cert, x)
}

// seal makes the newest certified round durable. x holds its files, nil when they have to be fetched.
func (m *Machine) seal(f ledger.Finished, record cid.Cid, cert *ledger.Certificate, x *result) {
	number := m.chain.Len() - 1
	publish := Publish{Round: number, Record: f.Record, Certificate: f.Certificate, Epoch: f.Epoch}
	if x != nil {
		publish.Files = x.files
	}
	m.archive()
	m.do(publish)
	last := m.chain.Last()
	p := Persist{Set: []Entry{{RecordKey(number), f.Record}, {CertificateKey(number), f.Certificate}}}
	p.Set = append(p.Set, m.rememberCertified(record)...)
	promises := m.was.promises
	if m.r != nil {
		m.noteTaken(last)
		promises = m.r.promises
		for _, a := range m.r.attempts {
			a.forget()
		}
	}
	m.carryResiduals(last)
	p.Delete = promises
	if len(f.Epoch) > 0 {
		p.Set = append(p.Set, Entry{EpochKey(number), f.Epoch})
		p.Delete = append(slices.Clone(promises), []byte(ApprovedKey))
	}
	m.do(p)
	m.records, m.cert, m.r, m.was = append(m.records, record), cert.CID(), nil, restored{}
	m.do(Progress{Level: Info, Round: number, Text: certified(last, cert, m.epoch)})
	if m.chain.Epoch != m.epoch {
		m.endEpoch()
	}
	m.load(x)
}
