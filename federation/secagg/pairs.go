package secagg

// For an audit of the masked inputs by federation/sketch, members look at their pair masks once more after masking.

// KeepPairMasks makes Mask keep the keys of the pair masks until Erase, for PairMasks, and the seeds of the own encapsulations, for
// PairSeeds. Call it before Mask.
func (m *Member) KeepPairMasks() { m.pairs, m.seeds = map[int][32]byte{}, map[int]PairSeed{} }

// keepPairs copies the keys, if they are wanted, and derives the seeds again while z is there.
func (m *Member) keepPairs() {
	if m.pairs == nil {
		return
	}
	for j, p := range m.peers {
		if j == m.self || !m.s.Together(m.self, j) {
			continue
		}
		m.pairs[j] = p.mask.key
		if j > m.self {
			m.seeds[j] = pairSeed(m.sid, m.self, j, m.secrets.z)
		}
	}
}

// PairMasks returns the keys of the masks shared with other members, by index: those of the list that have one. It is secret what
// they mask; linear functionals of the masks, drawn after all inputs are committed, may be published. Nil without KeepPairMasks.
func (m *Member) PairMasks(with []int) map[int][32]byte {
	if m.pairs == nil {
		return nil
	}
	out := map[int][32]byte{}
	for _, j := range with {
		if key, ok := m.pairs[j]; ok {
			out[j] = key
		}
	}
	return out
}

// publicMasks are the keys that opening has made public, by survivor.
type publicMasks struct {
	self    map[int][32]byte
	dropped map[int]map[int][32]byte // pair masks of a survivor with those that dropped out
}

// add notes the masks that the opened secret of a dealer gives away.
func (p *publicMasks) add(dealer int, masks []mask) {
	for _, m := range masks {
		if m.of == dealer {
			p.self[dealer] = m.key
			continue
		}
		if p.dropped[m.of] == nil {
			p.dropped[m.of] = map[int][32]byte{}
		}
		p.dropped[m.of][dealer] = m.key
	}
}

// PublicMasks returns the keys under which a survivor masked its input and that are public now: of its self-mask, and of the pair
// masks with members that dropped out.
func (o *Opening) PublicMasks(survivor int) (self [32]byte, dropped map[int][32]byte) {
	return o.public.self[survivor], o.public.dropped[survivor]
}
