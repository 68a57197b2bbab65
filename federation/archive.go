package federation

import (
	"cmp"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
)

// Archive hands over the signed messages of a round that is certified, in order of arrival: those of the attempt that its record
// names, or of all attempts that this member looked at when it is void, and those that concern the round as a whole. Replay
// checks the round with them. It comes before Publish and only when Config asks for it. The messages contain masked updates and
// sealed shares, which members otherwise forget: whoever keeps them keeps what a later break of the cryptography could open.
type Archive struct {
	Round     uint64
	Envelopes [][]byte // to be read only
}

func (Archive) action() {}

// archive hands over the messages of the round that was just certified.
func (m *Machine) archive() {
	last := m.chain.Last()
	if !m.cfg.Archive || m.r == nil || m.r.number != last.R {
		return
	}
	list := slices.Clone(m.r.log.order)
	for _, k := range m.r.tracked() {
		if k == last.Attempt || last.Kind == ledger.Void {
			list = append(list, m.r.attempts[k].order...)
		}
	}
	slices.SortFunc(list, func(a, b *stored) int { return cmp.Compare(a.came, b.came) })
	out := Archive{Round: last.R, Envelopes: make([][]byte, len(list))}
	for k, s := range list {
		out.Envelopes[k] = s.raw
	}
	m.do(out)
}
