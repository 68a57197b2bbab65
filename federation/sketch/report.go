package sketch

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrReport is wrapped by every refusal of a report.
var ErrReport = errors.New("not a valid sketch report")

const (
	reportVersion = 1
	reportPrefix  = 1 + 1 + 32 + 2 + 2 + 2 // version, bits, seed, sender, rows, count
)

// MaxReportSize is the size of the largest body that DecodeReport accepts, in bytes.
const MaxReportSize = reportPrefix + (MaxMembers-1)*(2+4*MaxRows)

// ReportSize returns the size of the body of a report on that many pair masks, in bytes.
func ReportSize(pairs, rows, bits int) int { return reportPrefix + pairs*(2+rows*bits/8) }

// A Pair is the sketch of the mask that the reporter shares with another survivor.
type Pair struct {
	With   int
	Sketch []uint32 // Rows words below 2^Bits, of PRG(s_ij) as it is, without the sign it is added with
}

// A Report is what a survivor publishes once the seed is known: the sketches of its pair masks with all other survivors. The seed
// binds it to one session and its masked inputs. Who sent it is established by the caller.
type Report struct {
	Seed  [32]byte
	From  int
	Bits  int
	Rows  int
	Pairs []Pair // ascending
}

// Report computes a survivor's report. keys holds the keys of its pair masks by the other survivor's index.
func (s *Sketch) Report(from int, keys map[int][32]byte) Report {
	r := Report{Seed: s.seed, From: from, Bits: s.c.Bits, Rows: s.c.Rows}
	sketches := s.masks(keys)
	for _, j := range sorted(keys) {
		r.Pairs = append(r.Pairs, Pair{With: j, Sketch: sketches[j]})
	}
	return r
}

// Encode returns the canonical bytes; see doc.go.
func (r *Report) Encode() []byte {
	b := make([]byte, 0, ReportSize(len(r.Pairs), r.Rows, r.Bits))
	b = append(b, reportVersion, byte(r.Bits))
	b = append(b, r.Seed[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(r.From))
	b = binary.BigEndian.AppendUint16(b, uint16(r.Rows))
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.Pairs)))
	for _, p := range r.Pairs {
		b = binary.BigEndian.AppendUint16(b, uint16(p.With))
		for _, w := range p.Sketch {
			if r.Bits == 16 {
				b = binary.LittleEndian.AppendUint16(b, uint16(w))
			} else {
				b = binary.LittleEndian.AppendUint32(b, w)
			}
		}
	}
	return b
}

// DecodeReport reads the body of a report. Nothing is allocated before the size is known to be right. Errors wrap ErrReport.
func DecodeReport(body []byte) (Report, error) {
	r, count, err := decodePrefix(body)
	if err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrReport, err)
	}
	r.Pairs = make([]Pair, count)
	rest, last := body[reportPrefix:], -1
	for i := range r.Pairs {
		p := &r.Pairs[i]
		p.With = int(binary.BigEndian.Uint16(rest))
		if p.With <= last || p.With >= MaxMembers || p.With == r.From {
			return Report{}, fmt.Errorf("%w: pair of members %d and %d after %d, want ascending others below %d", ErrReport, r.From, p.With, last, MaxMembers)
		}
		last = p.With
		p.Sketch, rest = decodeWords(rest[2:], r.Rows, r.Bits)
	}
	return r, nil
}

func decodePrefix(body []byte) (r Report, count int, err error) {
	if len(body) < reportPrefix {
		return r, 0, fmt.Errorf("%d bytes, want at least %d", len(body), reportPrefix)
	}
	if body[0] != reportVersion {
		return r, 0, fmt.Errorf("version %d, want %d", body[0], reportVersion)
	}
	r.Bits = int(body[1])
	copy(r.Seed[:], body[2:34])
	r.From = int(binary.BigEndian.Uint16(body[34:]))
	r.Rows = int(binary.BigEndian.Uint16(body[36:]))
	count = int(binary.BigEndian.Uint16(body[38:]))
	switch {
	case !validBits(r.Bits):
		return r, 0, fmt.Errorf("ring of %d bits", r.Bits)
	case !validRows(r.Rows):
		return r, 0, fmt.Errorf("%d rows", r.Rows)
	case r.From >= MaxMembers:
		return r, 0, fmt.Errorf("member %d, want below %d", r.From, MaxMembers)
	case count >= MaxMembers:
		return r, 0, fmt.Errorf("%d pairs, want fewer than %d", count, MaxMembers)
	case len(body) != ReportSize(count, r.Rows, r.Bits):
		return r, 0, fmt.Errorf("%d bytes, want %d for %d pairs", len(body), ReportSize(count, r.Rows, r.Bits), count)
	}
	return r, count, nil
}

func decodeWords(b []byte, rows, bits int) (words []uint32, rest []byte) {
	words = make([]uint32, rows)
	for k := range words {
		if bits == 16 {
			words[k] = uint32(binary.LittleEndian.Uint16(b[2*k:]))
		} else {
			words[k] = binary.LittleEndian.Uint32(b[4*k:])
		}
	}
	return words, b[rows*bits/8:]
}
