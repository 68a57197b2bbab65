package secagg

import (
	"crypto/subtle"
	"fmt"
	"slices"
)

// A mask is a stream of lanes: AES-256-CTR with a key used for nothing else, from counter zero, little-endian. It is
// added, or subtracted where negative.
type mask struct {
	key      [32]byte
	negative bool
	of       int // in a sum: the survivor whose input it comes from
}

// Mask hides values, Session.Lanes of them below 2^Bits, under the pair masks with every dealer of the view that is in the same cohort, and the
// self-mask. confirms are those of the others; own is implied. Once only: a second call fails whatever the values.
// Confirms of another view do not count. Errors: *Complaint for a wrong tag, ErrThreshold, ErrSpent.
func (m *Member) Mask(values []uint32, confirms map[int]Confirm) (Masked, error) {
	if err := m.enter(masked); err != nil {
		return Masked{}, err
	}
	if len(values) != m.s.Lanes {
		return Masked{}, fmt.Errorf("Mask: %d values in a session of %d lanes: quantise for this session", len(values), m.s.Lanes)
	}
	ring := m.s.ring()
	if err := ring.check(values); err != nil {
		return Masked{}, fmt.Errorf("Mask: %w", err)
	}
	confirmedBy, err := m.checkConfirms(confirms)
	if err != nil {
		return Masked{}, err
	}
	// The step counts as taken before the first masked word exists.
	m.confirmed, m.done = confirmedBy, masked
	n := m.s.Chunks()
	out := Masked{
		Header: MaskedHeader{Session: m.s.ID, From: m.self, Lanes: m.s.Lanes, Leaves: make([][32]byte, n)},
		Chunks: make([][]byte, n),
		ring:   ring,
	}
	masks := []mask{{key: selfMask(m.sid, m.self, m.secrets.b)}}
	for _, j := range sorted(m.peers) {
		if j != m.self && m.s.Together(m.self, j) {
			masks = append(masks, m.peers[j].mask)
		}
	}
	defer clear(masks)
	out.fill(values, newPads(masks))
	m.root = out.Header.Root()
	m.keepPairs()
	m.wipeMasks()
	return out, nil
}

// wipeMasks drops what is not needed once the masked input exists: only the received shares are.
func (m *Member) wipeMasks() {
	m.secrets = secrets{}
	for _, p := range m.peers {
		p.mask, p.confirmKey = mask{}, [32]byte{}
	}
}

func selfMask(sid keyed, from int, b [32]byte) [32]byte {
	return sid.derive32(b[:], "self mask", from)
}

// fill makes the chunks of the values under all masks, and their hashes. A chunk holds values in the clear until its
// masks are added, here.
func (m *Masked) fill(values []uint32, pads []pad) {
	h := &m.Header
	for i := range m.Chunks {
		m.Chunks[i] = make([]byte, m.ring.chunkBytes(h.Lanes, i))
	}
	eachSpan(m.ring, h.Lanes, 0, len(m.Chunks), func(s span, t *tally) {
		part := m.Chunks[s.chunk][s.from:][:s.size]
		m.ring.put(part, values[s.lane:][:s.size/int(m.ring)])
		t.begin(m.ring, s.size)
		t.addBytes(part)
		t.addPads(pads, s.at)
		t.result(part)
	})
	parallel(len(m.Chunks), func(i int, _ *none) { h.Leaves[i] = chunkLeaf(h.Session, h.From, i, m.Chunks[i]) })
}

// ResumeMasked takes the place of Mask after a restart when the masked input with this root was made before:
// the member can go on to Survive and Unmask but never mask again under this session.
func (m *Member) ResumeMasked(root [32]byte, confirms map[int]Confirm) error {
	if err := m.enter(masked); err != nil {
		return err
	}
	confirmedBy, err := m.checkConfirms(confirms)
	if err != nil {
		return err
	}
	m.confirmed, m.root, m.done = confirmedBy, root, masked
	m.wipeMasks()
	return nil
}

// checkConfirms returns who has confirmed the own view, itself included, ascending.
func (m *Member) checkConfirms(confirms map[int]Confirm) ([]int, error) {
	by := []int{m.self}
	others := 0
	for _, j := range sorted(confirms) {
		c := confirms[j]
		if j == m.self || m.peers[j] == nil || !m.s.belongs(c.Session, c.From, j) {
			continue
		}
		if c.View != m.view {
			others++
			continue
		}
		want := m.peers[j].tag(m.sid, j, m.self, m.view)
		got, complete := c.tagTo(m.self, m.peers)
		if !complete || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return nil, m.complain(j, BadTag)
		}
		by = append(by, j)
	}
	if err := m.enough(masked, len(by)); err != nil {
		if others > 0 {
			err = fmt.Errorf("%w (%w: %d members confirmed another view)", err, ErrView, others)
		}
		return nil, err
	}
	slices.Sort(by)
	return by, nil
}

// tagTo returns the tag for one member, and whether there is one for every dealer but the sender.
func (c *Confirm) tagTo(member int, dealers map[int]*peer) (tag [32]byte, complete bool) {
	last := -1
	for i := range c.Tags {
		t := &c.Tags[i]
		if t.To <= last || t.To == c.From || dealers[t.To] == nil {
			return tag, false
		}
		last = t.To
		if t.To == member {
			tag = t.MAC
		}
	}
	return tag, len(c.Tags) == len(dealers)-1
}
