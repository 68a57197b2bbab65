package ledger

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Limits of an envelope, in bytes.
const (
	MaxEnvelope = 1 << 20
	MaxBody     = MaxEnvelope - 1024
	maxType     = 32
)

// ErrSignature is wrapped by errors about envelopes whose signature does not hold.
var ErrSignature = errors.New("the signature does not hold")

// An Envelope is one signed message of a member. A member sends at most one per (Session, Type, Seq): a second different one
// is proof that it deviates, see Equivocation.
type Envelope struct {
	Type    string   // what Body is: 1 to 32 lower-case letters and hyphens
	Round   uint64   // which round it belongs to, so that a receiver who is elsewhere knows whether to keep it
	Attempt uint64   // likewise
	Session [32]byte // binds genesis, round, attempt and everything the attempt starts from
	From    MemberID
	Seq     uint64 // tells messages of one type apart
	Body    []byte // canonical bytes of the type
	Sig     [ed25519.SignatureSize]byte
}

// Key says which place of the session a message takes.
type Key struct {
	Session [32]byte
	Type    string
	From    MemberID
	Seq     uint64
}

// Key returns the place of the message.
func (e *Envelope) Key() Key { return Key{e.Session, e.Type, e.From, e.Seq} }

// Digest returns SHA-256 over what the signature covers. Every field but Sig is covered:
//
//	"fedlam/v1/" and the type, a zero byte
//	round 8, attempt 8, session 32, from 32, seq 8, length of the body 4, body
//
// Integers are big-endian.
func (e *Envelope) Digest() [32]byte {
	h := sha256.New()
	h.Write(append([]byte("fedlam/v1/"+e.Type), 0))
	h.Write(e.header())
	h.Write(e.Body)
	var out [32]byte
	h.Sum(out[:0])
	return out
}

// header is what stands between type and body.
func (e *Envelope) header() []byte {
	b := binary.BigEndian.AppendUint64(nil, e.Round)
	b = binary.BigEndian.AppendUint64(b, e.Attempt)
	b = append(append(b, e.Session[:]...), e.From[:]...)
	b = binary.BigEndian.AppendUint64(b, e.Seq)
	return binary.BigEndian.AppendUint32(b, uint32(len(e.Body)))
}

// SignEnvelope sets From and Sig.
func (e *Envelope) SignEnvelope(key ed25519.PrivateKey) {
	copy(e.From[:], key.Public().(ed25519.PublicKey))
	digest := e.Digest()
	copy(e.Sig[:], ed25519.Sign(key, digest[:]))
}

const envelopeVersion = 1

// Encode returns the canonical bytes: version 1 (1 byte), length of the type (1), type, the header as in Digest, body,
// signature 64.
func (e *Envelope) Encode() []byte {
	b := append(make([]byte, 0, 256+len(e.Body)), envelopeVersion, byte(len(e.Type)))
	b = append(append(b, e.Type...), e.header()...)
	b = append(b, e.Body...)
	return append(b, e.Sig[:]...)
}

const envelopeFixed = 8 + 8 + 32 + 32 + 8 + 4

// DecodeEnvelope reads an envelope and checks its signature; the body is still whatever the sender wrote. Body aliases data.
// Whether From is a member is the caller's to check, best before calling this with PeekSender.
func DecodeEnvelope(data []byte) (*Envelope, error) {
	if len(data) > MaxEnvelope {
		return nil, fmt.Errorf("%w: envelope of %d bytes, want at most %d", ErrMalformed, len(data), MaxEnvelope)
	}
	if len(data) < 2 || data[0] != envelopeVersion {
		return nil, fmt.Errorf("%w: not an envelope of version %d", ErrMalformed, envelopeVersion)
	}
	n := int(data[1])
	if n < 1 || n > maxType || len(data) < 2+n+envelopeFixed+ed25519.SignatureSize {
		return nil, fmt.Errorf("%w: envelope of %d bytes is truncated", ErrMalformed, len(data))
	}
	e := &Envelope{Type: string(data[2 : 2+n])}
	if !typeName(e.Type) {
		return nil, fmt.Errorf("%w: envelope type must be lower-case letters and hyphens", ErrMalformed)
	}
	b := data[2+n:]
	e.Round, e.Attempt = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	copy(e.Session[:], b[16:])
	copy(e.From[:], b[48:])
	e.Seq = binary.BigEndian.Uint64(b[80:])
	size := uint64(binary.BigEndian.Uint32(b[88:]))
	b = b[envelopeFixed:]
	if uint64(len(b)) != size+ed25519.SignatureSize {
		return nil, fmt.Errorf("%w: envelope with %d bytes after its header, want %d", ErrMalformed, len(b), size+ed25519.SignatureSize)
	}
	e.Body = b[:size:size]
	copy(e.Sig[:], b[size:])
	digest := e.Digest()
	if !ed25519.Verify(e.From[:], digest[:], e.Sig[:]) {
		return nil, fmt.Errorf("%w: %s of member %s", ErrSignature, e.Type, e.From)
	}
	return e, nil
}

// PeekSender returns who claims to have signed, without checking it: strangers can be refused before any work is done.
func PeekSender(data []byte) (MemberID, error) {
	if len(data) < 2 || len(data) < 2+int(data[1])+envelopeFixed {
		return MemberID{}, fmt.Errorf("%w: envelope of %d bytes is truncated", ErrMalformed, len(data))
	}
	var id MemberID
	copy(id[:], data[2+int(data[1])+48:])
	return id, nil
}

func typeName(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return true
}

// An Equivocation is proof against a member: two different messages for one place, both signed.
type Equivocation struct{ A, B *Envelope }

// Verify says whether the proof holds.
func (q Equivocation) Verify() error {
	if q.A.Key() != q.B.Key() || (bytes.Equal(q.A.Body, q.B.Body) && q.A.Round == q.B.Round && q.A.Attempt == q.B.Attempt) {
		return errors.New("equivocation: the messages are not two different ones for one place")
	}
	for _, e := range []*Envelope{q.A, q.B} {
		if digest := e.Digest(); !ed25519.Verify(e.From[:], digest[:], e.Sig[:]) {
			return fmt.Errorf("equivocation: %w", ErrSignature)
		}
	}
	return nil
}
