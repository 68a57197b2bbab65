package sketch

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"reflect"
	"testing"
)

func sampleReport(bits int) Report {
	r := Report{Seed: [32]byte{0xab, 31: 0xcd}, From: 1, Bits: bits, Rows: 8}
	for i, j := range []int{0, 2, 254} {
		words := make([]uint32, 8)
		for k := range words {
			words[k] = uint32(i<<8 + k + 1)
		}
		r.Pairs = append(r.Pairs, Pair{With: j, Sketch: words})
	}
	return r
}

func TestReportBytes(t *testing.T) {
	const seed = "ab000000000000000000000000000000000000000000000000000000000000cd"
	for bits, want := range map[int]string{
		16: "0110" + seed + "000100080003" +
			"0000" + "01000200030004000500060007000800" +
			"0002" + "01010201030104010501060107010801" +
			"00fe" + "01020202030204020502060207020802",
		32: "0120" + seed + "000100080003" +
			"0000" + "0100000002000000030000000400000005000000060000000700000008000000" +
			"0002" + "0101000002010000030100000401000005010000060100000701000008010000" +
			"00fe" + "0102000002020000030200000402000005020000060200000702000008020000",
	} {
		r := sampleReport(bits)
		body := r.Encode()
		if got := hex.EncodeToString(body); got != want {
			t.Errorf("%d bits: %s, want %s", bits, got, want)
		}
		if len(body) != ReportSize(3, 8, bits) {
			t.Errorf("%d bits: %d bytes, want %d", bits, len(body), ReportSize(3, 8, bits))
		}
		back, err := DecodeReport(body)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%d bits: decoded %v (%v)", bits, back, err)
		}
	}
	for _, c := range []struct{ n, bits, want int }{{50, 32, 12_682}, {200, 32, 51_382}, {200, 16, 25_910}} {
		if got := ReportSize(c.n-1, DefaultRows, c.bits); got != c.want {
			t.Errorf("a report of %d members has %d bytes, want %d", c.n, got, c.want)
		}
	}
}

func TestReportsThatAreRefused(t *testing.T) {
	r := sampleReport(16)
	good := r.Encode()
	put := func(at int, v uint16) func([]byte) []byte {
		return func(b []byte) []byte { binary.BigEndian.PutUint16(b[at:], v); return b }
	}
	const entry = 2 + 8*2
	for name, change := range map[string]func([]byte) []byte{
		"empty":            func([]byte) []byte { return nil },
		"prefix cut":       func(b []byte) []byte { return b[:39] },
		"cut":              func(b []byte) []byte { return b[:len(b)-1] },
		"longer":           func(b []byte) []byte { return append(b, 0) },
		"version":          func(b []byte) []byte { b[0] = 2; return b },
		"ring":             func(b []byte) []byte { b[1] = 8; return b },
		"sender":           put(34, MaxMembers),
		"rows":             put(36, 7),
		"no rows":          put(36, 0),
		"many rows":        put(36, 8192),
		"count":            put(38, 4),
		"huge count":       put(38, 0xffff),
		"pair with itself": put(40, 1),
		"descending":       put(40+entry, 0),
		"twice":            put(40+2*entry, 2),
		"stranger":         put(40+2*entry, MaxMembers),
	} {
		if _, err := DecodeReport(change(bytes.Clone(good))); !errors.Is(err, ErrReport) {
			t.Errorf("%s: %v, want %v", name, err, ErrReport)
		}
	}
}

func FuzzReport(f *testing.F) {
	for _, bits := range []int{16, 32} {
		r := sampleReport(bits)
		f.Add(r.Encode())
		r.Pairs = nil
		f.Add(r.Encode())
	}
	s, err := New([32]byte{1}, Config{Lanes: 100, Bits: 16, Rows: 8, Bound: 100, Peak: 10})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := DecodeReport(body)
		if err != nil {
			return
		}
		if back := r.Encode(); !bytes.Equal(back, body) {
			t.Errorf("two encodings of one report:\n%x\n%x", body, back)
		}
		a, err := s.NewAudit([]int{0, 1, 2})
		if err != nil {
			t.Fatal(err)
		}
		r.Seed = s.Seed()
		if a.Report(r) == nil && (r.From > 2 || len(r.Pairs) != 2) {
			t.Errorf("a report of member %d on %d pairs was taken in", r.From, len(r.Pairs))
		}
	})
}
