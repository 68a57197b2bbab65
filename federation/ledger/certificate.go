package ledger

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"
)

// MaxCertificate bounds a certificate in bytes.
const MaxCertificate = 1 << 20

// ErrQuorum is wrapped by errors about certificates that too few members signed.
var ErrQuorum = errors.New("too few signatures")

// PhaseFinal is the only phase of certificates yet: one signature per member and round. Votes in two phases, when they
// come, get phases of their own, so that their signatures never count as this one.
const PhaseFinal = "final"

// A Certificate is the statement of a quorum that a record is the outcome of its round.
type Certificate struct {
	Record     cid.Cid
	Phase      string
	Signatures []Signature // ascending by member
}

// A Signature is one member's.
type Signature struct {
	Member    uint64 // index in the epoch
	Signature [ed25519.SignatureSize]byte
}

// CertificateBytes returns what a member signs to put its name under a record: "fedlam/v1/certificate", a zero byte, the
// phase, a zero byte, the binary CID of the record. The record's CID binds genesis, epoch, round, everything.
func CertificateBytes(phase string, record cid.Cid) []byte {
	b := append([]byte("fedlam/v1/certificate"), 0)
	b = append(append(b, phase...), 0)
	return append(b, record.Bytes()...)
}

// Sign makes a member's signature over a record.
func Sign(key ed25519.PrivateKey, member int, record cid.Cid) Signature {
	s := Signature{Member: uint64(member)}
	copy(s.Signature[:], ed25519.Sign(key, CertificateBytes(PhaseFinal, record)))
	return s
}

// Verify checks one signature.
func (s *Signature) Verify(e *Epoch, record cid.Cid) error {
	if s.Member >= uint64(len(e.Members)) {
		return fmt.Errorf("signature of member %d in an epoch of %d", s.Member, len(e.Members))
	}
	m := &e.Members[s.Member]
	if !ed25519.Verify(m.ID[:], CertificateBytes(PhaseFinal, record), s.Signature[:]) {
		return fmt.Errorf("the signature of member %d (%s) does not hold", s.Member, m.Name)
	}
	return nil
}

// NewCertificate sorts signatures, which must have been verified, into a certificate.
func NewCertificate(record cid.Cid, signatures []Signature) *Certificate {
	c := &Certificate{Record: record, Phase: PhaseFinal, Signatures: slices.Clone(signatures)}
	slices.SortFunc(c.Signatures, func(a, b Signature) int { return int(a.Member) - int(b.Member) })
	return c
}

// Verify checks that a quorum of different members of the epoch signed, and that every signature holds.
func (c *Certificate) Verify(e *Epoch) error {
	if c.Phase != PhaseFinal {
		return fmt.Errorf("certificate of %s: phase %.20q, want %q", c.Record, c.Phase, PhaseFinal)
	}
	if len(c.Signatures) < e.Quorum() {
		return fmt.Errorf("certificate of %s: %w: %d of %d members signed, want %d", c.Record, ErrQuorum, len(c.Signatures), len(e.Members), e.Quorum())
	}
	for i := range c.Signatures {
		if i > 0 && c.Signatures[i-1].Member >= c.Signatures[i].Member {
			return fmt.Errorf("certificate of %s: signatures must be of different members in ascending order", c.Record)
		}
		if err := c.Signatures[i].Verify(e, c.Record); err != nil {
			return fmt.Errorf("certificate of %s: %w", c.Record, err)
		}
	}
	return nil
}

// Encode returns the canonical bytes.
func (c *Certificate) Encode() []byte {
	signatures := make(list, len(c.Signatures))
	for i, s := range c.Signatures {
		signatures[i] = fields{"member": s.Member, "signature": bytes.Clone(s.Signature[:])}
	}
	return marshal(fields{"fedlam": "certificate/1", "record": c.Record, "phase": c.Phase, "signatures": signatures})
}

// CID returns the CID of the document. Two certificates of one record may differ in who signed.
func (c *Certificate) CID() cid.Cid { return CIDOf(c.Encode()) }

// DecodeCertificate reads a certificate; Verify checks it.
func DecodeCertificate(document []byte) (*Certificate, error) {
	c := new(Certificate)
	err := unmarshal("certificate", document, MaxCertificate, func(r reader) {
		wantType(r, "certificate/1")
		c.Record, c.Phase = r.cid("record"), r.text("phase")
		r.each("signatures", MaxMembers, func(r reader) {
			s := Signature{Member: r.uint("member", MaxMembers-1)}
			b := r.bytes("signature")
			if len(b) != len(s.Signature) {
				r.fail("a signature has %d bytes, want %d", len(b), len(s.Signature))
				return
			}
			copy(s.Signature[:], b)
			c.Signatures = append(c.Signatures, s)
		})
	}, c.Encode)
	if err != nil {
		return nil, err
	}
	return c, nil
}
