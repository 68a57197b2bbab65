package federation

import (
	"encoding/binary"
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// Bodies of votes. All begin with version 1 (1 byte); the view is the sequence number of the envelope.

// A prepare is: version, binary CID of the record.
func encodePrepare(record cid.Cid) []byte { return append([]byte{bodyVersion}, record.Bytes()...) }

func decodePrepare(b []byte) (cid.Cid, error) {
	if len(b) < 2 || len(b) > maxCID || b[0] != bodyVersion {
		return cid.Undef, fmt.Errorf("%w: prepare of %d bytes", errBody, len(b))
	}
	c, err := cid.Cast(b[1:])
	if err != nil {
		return cid.Undef, fmt.Errorf("%w: prepare: %w", errBody, err)
	}
	return c, nil
}

// maxCID bounds a version and a CID.
const maxCID = 136

// A commit is: version, signature 64, binary CID of the record. The signature is the one of the certificate.
func encodeCommit(s ledger.Signature, record cid.Cid) []byte {
	return append(append([]byte{bodyVersion}, s.Signature[:]...), record.Bytes()...)
}

func decodeCommit(b []byte, member int) (ledger.Signature, cid.Cid, error) {
	s := ledger.Signature{Member: uint64(member)}
	if len(b) < 65 || len(b) > 64+maxCID || b[0] != bodyVersion {
		return s, cid.Undef, fmt.Errorf("%w: commit of %d bytes", errBody, len(b))
	}
	copy(s.Signature[:], b[1:65])
	c, err := cid.Cast(b[65:])
	if err != nil {
		return s, cid.Undef, fmt.Errorf("%w: commit: %w", errBody, err)
	}
	return s, c, nil
}

// An offer is: version, view of the quorum of prepares that it points to plus one (8; 0 for none), the record.
func encodeOffer(shown int64, record []byte) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{bodyVersion}, uint64(shown+1)), record...)
}

func decodeOffer(b []byte) (shown int64, record []byte, err error) {
	if len(b) < 10 || b[0] != bodyVersion {
		return 0, nil, fmt.Errorf("%w: offer of %d bytes", errBody, len(b))
	}
	v := binary.BigEndian.Uint64(b[1:])
	if v > ledger.MaxViews {
		return 0, nil, fmt.Errorf("%w: offer that points to view %d", errBody, v)
	}
	return int64(v) - 1, b[9:], nil
}

// Two envelopes, as evidence or in the log, are each: length (4), bytes. A lock is: view 8, length of the CID 1, CID, envelopes.
func encodeEnvelopes(b []byte, list ...[]byte) []byte {
	for _, raw := range list {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(raw))), raw...)
	}
	return b
}

func decodeEnvelopes(b []byte, most int) (list [][]byte, err error) {
	for len(b) > 0 {
		if len(b) < 4 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-4) || len(list) == most {
			return nil, fmt.Errorf("%w: %d envelopes, and %d bytes that are none", errBody, len(list), len(b))
		}
		n := 4 + int(binary.BigEndian.Uint32(b))
		list, b = append(list, b[4:n:n]), b[n:]
	}
	return list, nil
}

func encodeLock(p place, by map[int]*stored) []byte {
	b := binary.BigEndian.AppendUint64(nil, p.view)
	b = append(append(b, byte(p.record.ByteLen())), p.record.Bytes()...)
	return encodeEnvelopes(b, prove(by)...)
}

func decodeLock(b []byte) (p place, proof [][]byte, err error) {
	if len(b) < 9 || len(b) < 9+int(b[8]) {
		return p, nil, fmt.Errorf("%w: lock of %d bytes", errBody, len(b))
	}
	p.view = binary.BigEndian.Uint64(b)
	if p.record, err = cid.Cast(b[9 : 9+int(b[8])]); err != nil {
		return p, nil, fmt.Errorf("%w: lock: %w", errBody, err)
	}
	proof, err = decodeEnvelopes(b[9+int(b[8]):], ledger.MaxMembers)
	return p, proof, err
}

// voteKey is where a vote is kept. Keys sort by view.
func voteKey(kind string, view uint64) []byte {
	return fmt.Appendf(nil, "%s%s/%012d", votePrefix, kind, view)
}
