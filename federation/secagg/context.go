package secagg

import (
	"crypto/sha256"
	"encoding/binary"
)

const contextDomain = "fedlam/secagg/v1"

// A Context is everything a session depends on. Its ID separates sessions: two attempts at one round, two
// coordinate groups of one attempt, or the same attempt from other weights never share a key or a mask.
type Context struct {
	Genesis         []byte // CID bytes of the genesis document
	Round           uint64
	Attempt         uint32
	PrevCertificate []byte // CID bytes of the certificate of the round before; empty in the first round
	WeightsIn       []byte // CID bytes of the weights every member starts from
	Config          []byte // CID bytes (or canonical bytes) of the round's rules: quantisation, groups, deadlines
	Roster          [][32]byte
	Group           string // name of the coordinate group
	Cohorts         []Cohort
}

// ID returns SHA-256 over the domain "fedlam/secagg/v1" and the fields in their order. Byte strings are preceded
// by their length as a 32-bit big-endian number, Round is 8 and Attempt 4 bytes big-endian, and the roster is the
// number of members followed by their 32-byte ids. Each cohort follows as its size, its least number and its places, 4 bytes each: no
// two contexts have the same encoding.
func (c Context) ID() [32]byte {
	b := appendBytes(nil, []byte(contextDomain))
	b = appendBytes(b, c.Genesis)
	b = binary.BigEndian.AppendUint64(b, c.Round)
	b = binary.BigEndian.AppendUint32(b, c.Attempt)
	b = appendBytes(b, c.PrevCertificate)
	b = appendBytes(b, c.WeightsIn)
	b = appendBytes(b, c.Config)
	b = binary.BigEndian.AppendUint32(b, uint32(len(c.Roster)))
	for _, id := range c.Roster {
		b = append(b, id[:]...)
	}
	b = appendBytes(b, []byte(c.Group))
	for _, part := range c.Cohorts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part.Members)))
		b = binary.BigEndian.AppendUint32(b, uint32(part.Least))
		for _, i := range part.Members {
			b = binary.BigEndian.AppendUint32(b, uint32(i))
		}
	}
	return sha256.Sum256(b)
}

func appendBytes(to, b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(to, uint32(len(b))), b...)
}
