package sim

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// contradict makes an envelope say something else that has a meaning, where the body is understood here, and spoils its last
// byte otherwise. What it says depends on variant.
func (l *liar) contradict(e *ledger.Envelope, variant int) {
	var other []byte
	switch e.Type {
	case stepRoster, stepFinal:
		other = otherProposal(e.Body, variant)
	case stepSurvivors:
		other = otherList(e.Body, variant)
	case stepCommit:
		other = l.otherCommit(e.Seq, variant)
	case stepPrepare:
		other = append([]byte{1}, noRecord(variant).Bytes()...)
	}
	if other != nil {
		e.Body = other
		return
	}
	if n := len(e.Body); n > 0 {
		e.Body[n-1] ^= byte(1 + variant)
	}
}

// otherProposal leaves one member out of a proposal: version, number of members (2), members and heads (2 bytes each).
func otherProposal(body []byte, variant int) []byte {
	if len(body) < 5 {
		return nil
	}
	n := int(binary.BigEndian.Uint16(body[1:]))
	if n == 0 || len(body) < 3+2*n {
		return nil
	}
	at := 3 + 2*(variant%n)
	out := slices.Delete(slices.Clone(body), at, at+2)
	binary.BigEndian.PutUint16(out[1:], uint16(n-1))
	return out
}

// otherList leaves one member out of a list: version, members (2 bytes each).
func otherList(body []byte, variant int) []byte {
	n := (len(body) - 1) / 2
	if n < 1 {
		return nil
	}
	at := 1 + 2*(variant%n)
	return slices.Delete(slices.Clone(body), at, at+2)
}

func noRecord(variant int) cid.Cid { return ledger.CIDOf(fmt.Appendf(nil, "no record %d", variant)) }

// otherCommit signs a record that does not exist: version, signature, CID.
func (l *liar) otherCommit(view uint64, variant int) []byte {
	record := noRecord(variant)
	s := ledger.Sign(l.key, l.index, view, record)
	return append(append([]byte{1}, s.Signature[:]...), record.Bytes()...)
}
