package secagg

const (
	survivorSize     = 2 + 32
	MaxSurvivorsSize = prefixSize + 64 + 2 + MaxMembers*survivorSize // bytes
)

// Survivors is the body of step 4, the statement that a member signs once per session: exactly these members
// are in the sum, with exactly these masked inputs.
type Survivors struct {
	Session [32]byte
	From    int
	Roster  [32]byte // RosterHash
	View    [32]byte // as in Confirm: the dealers whose pair masks are in the inputs
	List    []Survivor
}

// A Survivor is one member of the sum.
type Survivor struct {
	Member int      // ascending in a list
	Root   [32]byte // MaskedHeader.Root of its input
}

// Encode returns the canonical bytes.
func (s *Survivors) Encode() []byte {
	b := appendPrefix(nil, kindSurvivors, s.Session, s.From)
	b = append(b, s.Roster[:]...)
	b = append(b, s.View[:]...)
	b = appendIndex(b, len(s.List))
	for i := range s.List {
		b = appendIndex(b, s.List[i].Member)
		b = append(b, s.List[i].Root[:]...)
	}
	return b
}

// DecodeSurvivors reads a Survivors body.
func DecodeSurvivors(body []byte) (Survivors, error) {
	var s Survivors
	r, sid, from := newReader("survivors", kindSurvivors, body)
	s.Session, s.From = sid, from
	r.into(s.Roster[:])
	r.into(s.View[:])
	n := r.count(survivorSize)
	if r.err == nil {
		s.List = make([]Survivor, n)
	}
	last := -1
	for i := range s.List {
		s.List[i].Member = r.after(last)
		last = s.List[i].Member
		r.into(s.List[i].Root[:])
	}
	if err := r.done(); err != nil {
		return Survivors{}, err
	}
	return s, nil
}

// Digest is equal for statements that say the same, whoever makes them.
func (s *Survivors) Digest() [32]byte {
	said := *s
	said.From = 0
	h := newHash("statement")
	h.Write(said.Encode())
	return sum32(h)
}

// ListHash binds the indices of the survivors; it goes into the round record.
func (s *Survivors) ListHash() [32]byte {
	h := keyed(s.Session).hash("survivor list")
	for i := range s.List {
		h.Write(appendIndex(nil, s.List[i].Member))
	}
	return sum32(h)
}

// MaskedRoot is the Merkle root over the masked inputs in the sum; it goes into the round record.
func (s *Survivors) MaskedRoot() [32]byte {
	leaves := make([][32]byte, len(s.List))
	for i := range s.List {
		h := keyed(s.Session).hash("masked input", s.List[i].Member)
		h.Write(s.List[i].Root[:])
		leaves[i] = sum32(h)
	}
	return merkleRoot(leaves)
}

// members returns the places in the list.
func (s *Survivors) members() []int {
	out := make([]int, len(s.List))
	for i := range s.List {
		out[i] = s.List[i].Member
	}
	return out
}

// has reports whether the list contains the member.
func (s *Survivors) has(member int) bool {
	for i := range s.List {
		if s.List[i].Member == member {
			return true
		}
	}
	return false
}
