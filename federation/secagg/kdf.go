package secagg

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"hash"
)

// keyed derives keys and hashes that belong to one session.
type keyed [32]byte

// derive is HKDF-SHA256 with info = domain/label, a zero byte, the session id, and the given indices as 16-bit
// numbers. Every label is used with one number of indices, so infos never collide. size is at most 255*32.
func (sid keyed) derive(secret []byte, label string, size int, indices ...int) []byte {
	info := append([]byte(contextDomain), '/')
	info = append(info, label...)
	info = append(info, 0)
	info = append(info, sid[:]...)
	for _, i := range indices {
		info = binary.BigEndian.AppendUint16(info, uint16(i))
	}
	key, err := hkdf.Key(sha256.New, secret, nil, string(info), size)
	if err != nil {
		panic("secagg: derive " + label + ": " + err.Error()) // only for a size above 8160, fixed by this package
	}
	return key
}

func (sid keyed) derive32(secret []byte, label string, indices ...int) (out [32]byte) {
	copy(out[:], sid.derive(secret, label, 32, indices...))
	return out
}

// hash starts a SHA-256 over domain/label, a zero byte, and the session id.
func (sid keyed) hash(label string, indices ...int) hash.Hash {
	h := newHash(label)
	h.Write(sid[:])
	var b [2]byte
	for _, i := range indices {
		binary.BigEndian.PutUint16(b[:], uint16(i))
		h.Write(b[:])
	}
	return h
}

func newHash(label string) hash.Hash {
	h := sha256.New()
	h.Write([]byte(contextDomain))
	h.Write([]byte{'/'})
	h.Write([]byte(label))
	h.Write([]byte{0})
	return h
}

func sum32(h hash.Hash) (out [32]byte) {
	h.Sum(out[:0])
	return out
}
