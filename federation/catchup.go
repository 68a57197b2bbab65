package federation

import (
	"crypto/sha256"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// maxFile bounds the files that are fetched, in bytes.
const maxFile = 4 << 30

// fetchRounds asks a member for the rounds this one lacks.
func (m *Machine) fetchRounds(from int) {
	if m.now.Before(m.nextFetch) {
		return
	}
	m.askRounds(m.epoch.Members[from].ID)
}

func (m *Machine) askRounds(from MemberID) {
	m.nextFetch = m.now.Add(m.syncEvery())
	m.do(FetchRounds{from, m.chain.Len()})
}

// takeRounds takes finished rounds from another member; certificates prove them, whoever sends them.
func (m *Machine) takeRounds(e Rounds) {
	from := m.epoch.Index(e.From)
	for k, f := range e.Rounds {
		record, err := ledger.DecodeRound(f.Record)
		if err == nil && record.R < m.chain.Len() {
			m.compareRound(record, f)
			continue
		}
		if err == nil && record.R > m.chain.Len() {
			return
		}
		var cert *ledger.Certificate
		if err == nil {
			_, cert, err = m.chain.Append(f)
		}
		if err != nil {
			who := "another member"
			if from >= 0 {
				who = m.name(from)
			}
			m.tell(Warning, "%s sent a finished round that does not hold: %v", who, err)
			return
		}
		m.files = nil
		m.adopt(f, cert, k == len(e.Rounds)-1)
	}
}

// adopt makes a round of others the newest.
func (m *Machine) adopt(f Finished, cert *ledger.Certificate, last bool) {
	var x *result
	if m.r != nil {
		x = m.r.results[cert.Record]
		if k := m.chain.Last().Kind; k == ledger.Void || k == ledger.Change {
			x = &result{weights: m.r.weights, state: m.r.state.set}
		}
	}
	if x == nil && !last { // there is a newer one: its files are the ones to fetch
		m.seal(f, cert.Record, cert, &result{})
		return
	}
	m.seal(f, cert.Record, cert, x)
}

// compareRound looks at a finished round that this member has: a different one with a certificate that holds means that at
// least a third of the members signed both.
func (m *Machine) compareRound(record *ledger.Round, f Finished) {
	if record.CID().Equals(m.records[record.R]) {
		return
	}
	cert, err := ledger.DecodeCertificate(f.Certificate)
	if err == nil && cert.Record.Equals(record.CID()) && cert.Verify(m.chain.EpochOf(record.R)) == nil {
		m.do(Persist{Set: []Entry{{[]byte(LogPrefix + "evidence/fork"), append(f.Record, f.Certificate...)}}})
		m.halt(twoCertificates, record.R, m.records[record.R], record.CID())
	}
}

const twoCertificates = "round %d has two certificates, for %s and for %s: at least a third of the members signed both. Do not go on; " +
	"compare with the other institutions"

// keepFork makes two certificates of one round durable.
func (m *Machine) keepFork(a, b *ledger.Certificate) {
	m.do(Persist{Set: []Entry{{[]byte(LogPrefix + "evidence/fork"), append(a.Encode(), b.Encode()...)}}})
}

// loading waits for the files of the newest certified round.
type loading struct {
	cids [2]cid.Cid // weights, state
	sets [2]*weights.Set
	have [2]bool
}

// load begins the next round with the files at hand, or asks for them. A result without weights asks for nothing.
func (m *Machine) load(x *result) {
	if x != nil {
		if x.weights != nil {
			m.installed(x.weights)
		}
		if x.weights != nil && m.self >= 0 {
			m.startRound(x.weights, outerState{x.state})
		}
		return
	}
	if m.self < 0 {
		return // who is no member needs no weights
	}
	m.files = &loading{cids: [2]cid.Cid{m.chain.Weights(), m.chain.State()}}
	for k, c := range m.files.cids {
		if c.Equals(ledger.NoState()) {
			m.files.have[k] = true
			continue
		}
		m.do(Fetch{c, maxFile})
	}
}

func (m *Machine) fetched(e Fetched) {
	if m.r != nil {
		m.fetchedCandidate(e)
	}
	l := m.files
	if l == nil {
		return
	}
	for k, c := range l.cids {
		if !c.Equals(e.CID) || l.have[k] {
			continue
		}
		if !ledger.FileCID(e.Data).Equals(c) {
			m.tell(Warning, "the file that came for %s has other contents; asking again", c)
			m.do(Fetch{c, maxFile})
			return
		}
		set, err := decodeFile(c, e.Data, maxFile)
		if err != nil {
			m.halt("the certified file %s cannot be read: %v", c, err)
			return
		}
		l.sets[k], l.have[k] = set, true
	}
	if l.have[0] && l.have[1] {
		m.files = nil
		m.installed(l.sets[0])
		m.startRound(l.sets[0], outerState{l.sets[1]})
	}
}

// installed hands certified weights to the trainer.
func (m *Machine) installed(w *weights.Set) {
	if last := m.chain.Last(); last != nil {
		m.do(Install{last.R, last, w, m.taken})
		m.taken = nil
	}
}

// digestOf is how error feedback names a record.
func digestOf(c cid.Cid) [32]byte { return sha256.Sum256(c.Bytes()) }
