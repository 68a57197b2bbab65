package secagg

import (
	"encoding/binary"
	"fmt"
)

// MaxChunkSumSize is the largest ChunkSum body, in bytes.
const MaxChunkSumSize = prefixSize + 4 + ChunkSize

// A ChunkSum is the body by which a member says what one chunk of the opened sum is. Anyone who has the transcript and that chunk of
// every survivor's masked input can check it with Opening.SumChunk.
type ChunkSum struct {
	Session [32]byte
	From    int
	Index   int
	Data    []byte // words of the sum, little-endian, of the size of a lane
}

// NewChunkSum returns the body for words that Opening.SumChunk gave for chunk c.
func NewChunkSum(s Session, from, c int, words []uint32) ChunkSum {
	out := ChunkSum{Session: s.ID, From: from, Index: c, Data: make([]byte, int(s.ring())*len(words))}
	s.ring().put(out.Data, words)
	return out
}

// Encode returns the canonical bytes.
func (c *ChunkSum) Encode() []byte {
	b := appendPrefix(make([]byte, 0, prefixSize+4+len(c.Data)), kindChunkSum, c.Session, c.From)
	b = binary.BigEndian.AppendUint32(b, uint32(c.Index))
	return append(b, c.Data...)
}

// DecodeChunkSum reads a ChunkSum body. Data aliases body.
func DecodeChunkSum(body []byte) (ChunkSum, error) {
	var c ChunkSum
	r, sid, from := newReader("chunk sum", kindChunkSum, body)
	c.Session, c.From = sid, from
	c.Index = r.uint32()
	switch n := len(r.rest); {
	case r.err != nil:
	case c.Index >= ring32.chunks(MaxLanes):
		r.fail("chunk %d, want below %d", c.Index, ring32.chunks(MaxLanes))
	case n == 0 || n > ChunkSize || n%int(ring16) != 0:
		r.fail("sum of %d bytes, want a multiple of %d up to %d", n, ring16, ChunkSize)
	default:
		c.Data = r.take(n)
	}
	if err := r.done(); err != nil {
		return ChunkSum{}, err
	}
	return c, nil
}

// Fits refuses a chunk sum that cannot be one of the session, whatever the members added.
func (c *ChunkSum) Fits(s Session) error {
	if c.Session != s.ID || c.From < 0 || c.From >= len(s.Roster) || c.Index < 0 || c.Index >= s.Chunks() || len(c.Data) != s.ring().chunkBytes(s.Lanes, c.Index) {
		return fmt.Errorf("%w: sum of chunk %d by member %d with %d bytes is not of this session of %d members and %d chunks",
			ErrMessage, c.Index, c.From, len(c.Data), len(s.Roster), s.Chunks())
	}
	return nil
}

// Words returns the sum, of a body that fits the session.
func (c *ChunkSum) Words(s Session) []uint32 {
	out := make([]uint32, len(c.Data)/int(s.ring()))
	s.ring().get(out, c.Data)
	return out
}
