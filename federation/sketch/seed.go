package sketch

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
)

const domain = "fedlam/sketch/v1"

// Seed fixes the functionals of a session, after all masked inputs are committed and their self-masks are open: SHA-256 over
// the domain, a zero byte, the session id, opened, the number of survivors (2 bytes, big-endian) and, in ascending order,
// the index (2 bytes) and the root of the masked input of each.
//
// opened binds the opened secrets (secagg's Opening.Root). Without it the member that commits last would know
// the functionals that belong to each of its possible inputs, and could try inputs until one is not seen.
func Seed(session, opened [32]byte, roots map[int][32]byte) [32]byte {
	b := append([]byte(domain+"/seed\x00"), session[:]...)
	b = append(b, opened[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(roots)))
	for _, i := range slices.Sorted(maps.Keys(roots)) {
		root := roots[i]
		b = binary.BigEndian.AppendUint16(b, uint16(i))
		b = append(b, root[:]...)
	}
	return sha256.Sum256(b)
}
