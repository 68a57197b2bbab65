package secagg

import (
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
)

func inBits(s Session, bits int) Session {
	s.Bits = bits
	return s
}

// goldenChunk16 is the masked input of member 0, as it is sent, in a session of three members and five lanes of 16 bits.
const goldenChunk16 = "010697a27982fc835f480e99d2508e1ca75cad60dd82ec864b6534a3cb6ce26b2deb0000000000007a00615eca58c7e39802"

func TestGoldenNarrowChunk(t *testing.T) {
	p := newParty(t, inBits(testSession(3, 5), 16))
	if err := p.until(atMask); err != nil {
		t.Fatal(err)
	}
	m := p.in.Masked[0]
	c := m.Chunk(0)
	if got := hex.EncodeToString(c.Encode()); got != goldenChunk16 {
		t.Errorf("chunk is encoded as\n%s, want\n%s", got, goldenChunk16)
	}
}

func TestRingSizes(t *testing.T) {
	for _, c := range []struct{ bits, lanes, chunks, last int }{
		{0, 65536, 1, 1 << 18}, {32, 65537, 2, 4}, {16, 65537, 1, 131074}, {16, 131072, 1, 1 << 18}, {16, 131073, 2, 2}, {16, 1, 1, 2}, {32, MaxLanes, maxChunks, 1 << 18},
	} {
		s := inBits(testSession(2, c.lanes), c.bits)
		if got := s.Chunks(); got != c.chunks {
			t.Errorf("%+v: %d chunks", c, got)
		}
		if got := s.ring().chunkBytes(c.lanes, c.chunks-1); got != c.last {
			t.Errorf("%+v: last chunk of %d bytes", c, got)
		}
	}
}

// TestValuesOutsideTheRingAreNotMasked: nothing is cut silently, and the step can be repeated with what fits.
func TestValuesOutsideTheRingAreNotMasked(t *testing.T) {
	p := newParty(t, inBits(testSession(3, 2), 16))
	if err := p.until(atConfirm); err != nil {
		t.Fatal(err)
	}
	m := p.members[0]
	if out, err := m.Mask([]uint32{65535, 65536}, p.confirms); err == nil || !strings.Contains(err.Error(), "value 1 is 65536") || out.Chunks != nil {
		t.Errorf("a value of 17 bits: %v", err)
	}
	if _, err := m.Mask([]uint32{65535, 0}, p.confirms); err != nil {
		t.Errorf("values that fit: %v", err)
	}
}

// TestMembersOfDifferentRingsDoNotConfirm: whoever takes the session for another ring is out of it before anything is masked.
func TestMembersOfDifferentRingsDoNotConfirm(t *testing.T) {
	p := newParty(t, testSession(4, 3))
	odd, err := NewMember(inBits(p.s, 16), 2, testRoot(2))
	if err != nil {
		t.Fatal(err)
	}
	p.members[2] = odd
	if err := p.until(atShares); err != nil {
		t.Fatal(err)
	}
	_, err = p.members[0].Confirm(p.in.Shares)
	if c, ok := accused(t, err); !ok || c.Accused != 2 || c.Reason != BadView {
		t.Errorf("32 bits against 16: %v, want a complaint about member 2", err)
	}
	if _, err = odd.Confirm(p.in.Shares); err == nil {
		t.Error("16 bits against 32: confirmed")
	}
}

// TestTranscriptOfAnotherRingIsRefused: who verifies in the wrong ring gets no sum, and nobody is called a cheat for it.
func TestTranscriptOfAnotherRingIsRefused(t *testing.T) {
	for _, lanes := range []int{3, 1<<17 + 1} { // with as many chunks in both rings, and with more
		for _, bits := range [][2]int{{16, 32}, {32, 16}} {
			p := newParty(t, inBits(testSession(3, lanes), bits[0]))
			if err := p.until(atUnmask); err != nil {
				t.Fatal(err)
			}
			if got, err := Sum(inBits(p.s, bits[1]), p.in); !errors.Is(err, ErrView) || got != nil {
				t.Errorf("%d lanes of %d bits verified with %d: %v, want %v", lanes, bits[0], bits[1], err, ErrView)
			}
			if got, err := Sum(p.s, p.in); err != nil || !slices.Equal(got, p.want()) {
				t.Errorf("control: %v", err)
			}
			m := p.in.Masked[0]
			_, err := NewMasked(inBits(p.s, bits[1]), m.Header)
			if sameChunks := lanes == 3; (err == nil) != sameChunks {
				t.Errorf("header of %d lanes of %d bits in a session of %d bits: %v", lanes, bits[0], bits[1], err)
			}
		}
	}
}

// TestChunkOfAnotherRingIsRefused: where the header is the same in both rings, the chunk is not.
func TestChunkOfAnotherRingIsRefused(t *testing.T) {
	p := newParty(t, inBits(testSession(3, 4), 16))
	if err := p.until(atMask); err != nil {
		t.Fatal(err)
	}
	m := p.in.Masked[0]
	wrong, err := NewMasked(inBits(p.s, 32), m.Header)
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Add(m.Chunk(0)); !errors.Is(err, ErrMessage) {
		t.Errorf("8 bytes for four lanes of 32 bits: %v, want %v", err, ErrMessage)
	}
	right, err := NewMasked(p.s, m.Header)
	if err != nil {
		t.Fatal(err)
	}
	if err := right.Add(m.Chunk(0)); err != nil {
		t.Errorf("control: %v", err)
	}
	if err := (&Masked{Header: m.Header, Chunks: make([][]byte, 1)}).Add(m.Chunk(0)); !errors.Is(err, ErrMessage) {
		t.Errorf("a Masked not made by NewMasked counts as one of 32 bits: %v", err)
	}
}
