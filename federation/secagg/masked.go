package secagg

import (
	"cmp"
	"encoding/binary"
	"fmt"
)

// Sizes of a masked input.
const (
	ChunkSize = 256 << 10 // bytes of every chunk but the last, which holds the rest
	maxChunks = MaxLanes * int(ring32) / ChunkSize

	MaxMaskedHeaderSize = prefixSize + 4 + maxChunks*32 // bytes
	MaxChunkSize        = prefixSize + 4 + ChunkSize    // bytes
)

// A MaskedHeader announces a masked input: the hashes of its chunks.
type MaskedHeader struct {
	Session [32]byte
	From    int
	Lanes   int
	Leaves  [][32]byte // one per chunk
}

// Encode returns the canonical bytes.
func (h *MaskedHeader) Encode() []byte {
	b := appendPrefix(nil, kindMasked, h.Session, h.From)
	b = binary.BigEndian.AppendUint32(b, uint32(h.Lanes))
	for i := range h.Leaves {
		b = append(b, h.Leaves[i][:]...)
	}
	return b
}

// DecodeMaskedHeader reads a MaskedHeader body. Which ring it is of is for NewMasked to check: the session knows.
func DecodeMaskedHeader(body []byte) (MaskedHeader, error) {
	var h MaskedHeader
	r, sid, from := newReader("masked header", kindMasked, body)
	h.Session, h.From = sid, from
	h.Lanes = r.uint32()
	switch {
	case r.err != nil:
	case h.Lanes < 1 || h.Lanes > MaxLanes:
		r.fail("%d lanes, want 1 to %d", h.Lanes, MaxLanes)
	case len(r.rest) != 32*ring32.chunks(h.Lanes) && len(r.rest) != 32*ring16.chunks(h.Lanes):
		r.fail("%d bytes of chunk hashes for %d lanes", len(r.rest), h.Lanes)
	default:
		h.Leaves = make([][32]byte, len(r.rest)/32)
	}
	for i := range h.Leaves {
		r.into(h.Leaves[i][:])
	}
	if err := r.done(); err != nil {
		return MaskedHeader{}, err
	}
	return h, nil
}

// A Chunk is the body that carries one piece of a masked input.
type Chunk struct {
	Session [32]byte
	From    int
	Index   int
	Data    []byte // lanes, little-endian
}

// Encode returns the canonical bytes.
func (c *Chunk) Encode() []byte {
	b := appendPrefix(make([]byte, 0, prefixSize+4+len(c.Data)), kindChunk, c.Session, c.From)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Index))
	return append(b, c.Data...)
}

// DecodeChunk reads a Chunk body. Data aliases body.
func DecodeChunk(body []byte) (Chunk, error) {
	var c Chunk
	r, sid, from := newReader("chunk", kindChunk, body)
	c.Session, c.From = sid, from
	c.Index = r.uint32()
	switch n := len(r.rest); {
	case r.err != nil:
	case c.Index >= maxChunks:
		r.fail("chunk %d, want below %d", c.Index, maxChunks)
	case n == 0 || n > ChunkSize || n%2 != 0:
		r.fail("chunk of %d bytes, want a multiple of 2 up to %d", n, ChunkSize)
	default:
		c.Data = r.take(n)
	}
	if err := r.done(); err != nil {
		return Chunk{}, err
	}
	return c, nil
}

// Masked is a masked input: the header and its chunks, nil where a chunk has not arrived.
type Masked struct {
	Header MaskedHeader
	Chunks [][]byte
	ring   ring // as Mask and NewMasked set it
}

// NewMasked starts to collect the chunks of a header that belongs to the session.
func NewMasked(s Session, h MaskedHeader) (Masked, error) {
	if h.Session != s.ID || h.Lanes != s.Lanes || len(h.Leaves) != s.Chunks() || h.From < 0 || h.From >= len(s.Roster) {
		return Masked{}, fmt.Errorf("%w: masked header of member %d with %d lanes in %d chunks is not of this session of %d members and %d lanes in %d",
			ErrMessage, h.From, h.Lanes, len(h.Leaves), len(s.Roster), s.Lanes, s.Chunks())
	}
	return Masked{Header: h, Chunks: make([][]byte, len(h.Leaves)), ring: s.ring()}, nil
}

// Chunk returns the i-th chunk as a message; Data aliases the chunk.
func (m *Masked) Chunk(i int) Chunk {
	return Chunk{Session: m.Header.Session, From: m.Header.From, Index: i, Data: m.Chunks[i]}
}

// Add keeps a chunk after checking it against the header. It keeps c.Data, no copy.
func (m *Masked) Add(c Chunk) error {
	h := &m.Header
	if c.Session != h.Session || c.From != h.From || c.Index < 0 || c.Index >= len(h.Leaves) {
		return fmt.Errorf("%w: chunk %d of member %d does not belong to the masked input of member %d", ErrMessage, c.Index, c.From, h.From)
	}
	if err := h.check(cmp.Or(m.ring, ring32), c.Index, c.Data); err != nil {
		return err
	}
	m.Chunks[c.Index] = c.Data
	return nil
}

// Complete reports whether every chunk is there.
func (m *Masked) Complete() bool {
	for _, c := range m.Chunks {
		if c == nil {
			return false
		}
	}
	return len(m.Chunks) > 0
}

// Root is the Merkle root over the chunk hashes, bound to session, sender and length.
func (h *MaskedHeader) Root() [32]byte {
	k := keyed(h.Session).hash("masked root", h.From)
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(h.Lanes))
	k.Write(b[:])
	root := merkleRoot(h.Leaves)
	k.Write(root[:])
	return sum32(k)
}

// check compares a chunk with its hash in the header.
func (h *MaskedHeader) check(r ring, i int, data []byte) error {
	if len(data) != r.chunkBytes(h.Lanes, i) || chunkLeaf(h.Session, h.From, i, data) != h.Leaves[i] {
		return fmt.Errorf("%w: chunk %d of member %d does not match its header", ErrMessage, i, h.From)
	}
	return nil
}

func chunkLeaf(sid [32]byte, from, i int, data []byte) [32]byte {
	h := keyed(sid).hash("chunk", from, i)
	h.Write(data)
	return sum32(h)
}
