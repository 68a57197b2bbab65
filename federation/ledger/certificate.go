package ledger

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"
)

// MaxCertificate bounds a certificate in bytes.
const MaxCertificate = 1 << 20

// ErrQuorum is wrapped by errors about certificates that too few members signed.
var ErrQuorum = errors.New("too few signatures")

// PhaseCommit is the phase of voting that certificates are made of. The phase before it, prepare, makes locks; its votes
// are signed under another domain and never count here.
const PhaseCommit = "commit"

// MaxViews bounds the number of a view. With deadlines that double, nobody gets there.
const MaxViews = 1 << 32

// A Certificate is the statement of a quorum that a record is the outcome of its round. All its signatures were given in one
// view: votes for one record in different views, together, could stand beside a quorum for another.
type Certificate struct {
	Record     cid.Cid
	View       uint64
	Phase      string
	Signatures []Signature // ascending by member
}

// A Signature is one member's.
type Signature struct {
	Member    uint64 // index in the epoch
	Signature [ed25519.SignatureSize]byte
}

// CertificateBytes returns what a member signs to put its name under a record: "fedlam/v1/certificate", a zero byte, the
// phase, a zero byte, the view (8 bytes, big-endian), the binary CID of the record. The record's CID binds genesis, epoch, round, everything.
func CertificateBytes(phase string, view uint64, record cid.Cid) []byte {
	b := append([]byte("fedlam/v1/certificate"), 0)
	b = append(append(b, phase...), 0)
	b = binary.BigEndian.AppendUint64(b, view)
	return append(b, record.Bytes()...)
}

// Sign makes a member's signature over a record in a view.
func Sign(key ed25519.PrivateKey, member int, view uint64, record cid.Cid) Signature {
	s := Signature{Member: uint64(member)}
	copy(s.Signature[:], ed25519.Sign(key, CertificateBytes(PhaseCommit, view, record)))
	return s
}

// Verify checks one signature.
func (s *Signature) Verify(e *Epoch, view uint64, record cid.Cid) error {
	if s.Member >= uint64(len(e.Members)) {
		return fmt.Errorf("signature of member %d in an epoch of %d", s.Member, len(e.Members))
	}
	m := &e.Members[s.Member]
	if !ed25519.Verify(m.ID[:], CertificateBytes(PhaseCommit, view, record), s.Signature[:]) {
		return fmt.Errorf("the signature of member %d (%s) does not hold", s.Member, m.Name)
	}
	return nil
}

// NewCertificate sorts signatures, which must have been verified, into a certificate.
func NewCertificate(record cid.Cid, view uint64, signatures []Signature) *Certificate {
	c := &Certificate{Record: record, View: view, Phase: PhaseCommit, Signatures: slices.Clone(signatures)}
	slices.SortFunc(c.Signatures, func(a, b Signature) int { return int(a.Member) - int(b.Member) })
	return c
}

// Verify checks that a quorum of different members of the epoch signed, and that every signature holds.
func (c *Certificate) Verify(e *Epoch) error {
	if c.Phase != PhaseCommit {
		return fmt.Errorf("certificate of %s: phase %.20q, want %q", c.Record, c.Phase, PhaseCommit)
	}
	if len(c.Signatures) < e.Quorum() {
		return fmt.Errorf("certificate of %s: %w: %d of %d members signed, want %d", c.Record, ErrQuorum, len(c.Signatures), len(e.Members), e.Quorum())
	}
	for i := range c.Signatures {
		if i > 0 && c.Signatures[i-1].Member >= c.Signatures[i].Member {
			return fmt.Errorf("certificate of %s: signatures must be of different members in ascending order", c.Record)
		}
		if err := c.Signatures[i].Verify(e, c.View, c.Record); err != nil {
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
	return marshal(fields{"fedlam": "certificate/1", "record": c.Record, "view": c.View, "phase": c.Phase, "signatures": signatures})
}

// CID returns the CID of the document. Two certificates of one record may differ in who signed.
func (c *Certificate) CID() cid.Cid { return CIDOf(c.Encode()) }

// DecodeCertificate reads a certificate; Verify checks it.
func DecodeCertificate(document []byte) (*Certificate, error) {
	c := new(Certificate)
	err := unmarshal("certificate", document, MaxCertificate, func(r reader) {
		wantType(r, "certificate/1")
		c.Record, c.View, c.Phase = r.cid("record"), r.uint("view", MaxViews), r.text("phase")
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
