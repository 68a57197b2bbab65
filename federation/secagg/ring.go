package secagg

import (
	"encoding/binary"
	"fmt"
)

// A ring is Z_2^32 or Z_2^16, where values live while they are masked. Its value is the size of a lane in bytes.
type ring int

const (
	ring16 ring = 2
	ring32 ring = 4
)

// DefaultBits is the ring of a Session whose Bits are 0.
const DefaultBits = 32

// ring returns the ring of a valid session.
func (s *Session) ring() ring {
	if s.Bits == 16 {
		return ring16
	}
	return ring32
}

// key is what every key, hash, seal and tag of the session is bound to: the session id, and in a ring other than the
// default one also its bits. Members that disagree on the ring have nothing in common, as if their ids differed.
func (s *Session) key() keyed {
	if s.ring() == ring32 {
		return s.ID
	}
	h := newHash("ring")
	h.Write([]byte{byte(8 * s.ring())})
	h.Write(s.ID[:])
	return sum32(h)
}

// ChunkLanes returns how many lanes every chunk but the last holds: 65,536 of 32 bits or 131,072 of 16.
func (s *Session) ChunkLanes() int { return s.ring().chunkLanes() }

// Chunks returns how many chunks a masked input has.
func (s *Session) Chunks() int { return s.ring().chunks(s.Lanes) }

func (r ring) chunkLanes() int { return ChunkSize / int(r) }

// chunks returns how many chunks hold that many lanes.
func (r ring) chunks(lanes int) int { return (lanes + r.chunkLanes() - 1) / r.chunkLanes() }

// chunkBytes returns the size of chunk i of a vector of that many lanes, in bytes.
func (r ring) chunkBytes(lanes, i int) int {
	return int(r) * min(r.chunkLanes(), lanes-i*r.chunkLanes())
}

// put writes lanes as little-endian words. The values are known to be in the ring.
func (r ring) put(b []byte, lanes []uint32) {
	if r == ring32 {
		for k, v := range lanes {
			binary.LittleEndian.PutUint32(b[4*k:], v)
		}
		return
	}
	for k, v := range lanes {
		binary.LittleEndian.PutUint16(b[2*k:], uint16(v))
	}
}

// get reads what put wrote.
func (r ring) get(lanes []uint32, b []byte) {
	if r == ring32 {
		for k := range lanes {
			lanes[k] = binary.LittleEndian.Uint32(b[4*k:])
		}
		return
	}
	for k := range lanes {
		lanes[k] = uint32(binary.LittleEndian.Uint16(b[2*k:]))
	}
}

// check refuses values outside of the ring.
func (r ring) check(values []uint32) error {
	if r == ring32 {
		return nil
	}
	for k, v := range values {
		if v >= 1<<16 {
			return fmt.Errorf("value %d is %d, outside of the session's ring of 16 bits: quantise for this session", k, v)
		}
	}
	return nil
}
