// Package leak looks for secrets in recorded traffic.
//
// A Finder is given needles: byte strings that must not occur. Numbers, Quantised, Text and Secret make them from what a
// member keeps to itself, one needle for each encoding in which it might travel: little- and big-endian, float64 and
// float32, integers, decimal text, hex, base64. Short encodings are joined with those of the numbers that follow, because
// four bytes turn up by chance in a megabyte of masks. What could turn up anyway, such as runs of zeros, is no needle.
//
//	f := leak.NewFinder(slices.Concat(leak.Numbers("coordinates", frame.Positions), leak.Secret("signing key", seed)))
//	hits := f.Find(recorded)
//
// A search that finds nothing proves something only if it would have found something: every test that uses this package
// also searches traffic in which the needles were sent on purpose.
package leak

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
)

// minNeedle is the number of bytes below which needles would be found by chance.
const minNeedle = 8

// A Needle is a byte string that must not occur, and what it is.
type Needle struct {
	What  string
	Bytes []byte
}

// A Hit is a needle that occurred.
type Hit struct {
	What   string
	Offset int
}

func (h Hit) String() string { return fmt.Sprintf("%s at byte %d", h.What, h.Offset) }

// A Finder looks for many needles at once. It may be used from many goroutines.
type Finder struct {
	byStart map[uint64][]Needle // by the first 8 bytes
	size    int
}

// NewFinder takes the needles that can be told from chance; see Len.
func NewFinder(needles []Needle) *Finder {
	f := &Finder{byStart: map[uint64][]Needle{}}
	for _, n := range needles {
		if len(n.Bytes) < minNeedle || dull(n.Bytes) {
			continue
		}
		start := binary.LittleEndian.Uint64(n.Bytes)
		f.byStart[start] = append(f.byStart[start], n)
		f.size++
	}
	return f
}

// Len returns the number of needles that are looked for.
func (f *Finder) Len() int { return f.size }

// dull tells whether bytes are too regular to mean anything.
func dull(b []byte) bool {
	var seen [256]bool
	distinct, zeros := 0, 0
	for _, v := range b {
		if !seen[v] {
			seen[v] = true
			distinct++
		}
		if v == 0 {
			zeros++
		}
	}
	return distinct < 5 || 2*zeros > len(b)
}

// Find returns every place in data where a needle is.
func (f *Finder) Find(data []byte) []Hit {
	var hits []Hit
	for at := 0; at+minNeedle <= len(data); at++ {
		for _, n := range f.byStart[binary.LittleEndian.Uint64(data[at:])] {
			if bytes.HasPrefix(data[at:], n.Bytes) {
				hits = append(hits, Hit{n.What, at})
			}
		}
	}
	return hits
}

// order is a byte order that appends.
type order interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var orders = []order{binary.LittleEndian, binary.BigEndian}

// Numbers makes needles from float64 values: each as float64, each with its successor as float32 and in decimal text.
func Numbers(what string, values []float64) []Needle {
	var out []Needle
	for i, v := range values {
		for _, o := range orders {
			out = append(out, Needle{fmt.Sprintf("%s %d as float64, %s", what, i, o), o.AppendUint64(nil, math.Float64bits(v))})
			if i+1 < len(values) {
				pair := o.AppendUint32(o.AppendUint32(nil, math.Float32bits(float32(v))), math.Float32bits(float32(values[i+1])))
				out = append(out, Needle{fmt.Sprintf("%s %d and its successor as float32, %s", what, i, o), pair})
			}
		}
		for _, text := range []string{
			strconv.FormatFloat(v, 'g', -1, 64), strconv.FormatFloat(v, 'e', -1, 64), strconv.FormatFloat(v, 'f', 8, 64),
			strconv.FormatFloat(float64(float32(v)), 'g', -1, 32),
		} {
			out = append(out, Text(fmt.Sprintf("%s %d as text", what, i), text)...)
		}
	}
	return out
}

// Quantised makes needles from the numbers that go into a secure sum: four in a row as 32-bit and as 16-bit integers.
func Quantised(what string, values []uint32) []Needle {
	var out []Needle
	for i := 0; i+4 <= len(values); i++ {
		for _, o := range orders {
			var wide, narrow []byte
			for _, v := range values[i : i+4] {
				wide = o.AppendUint32(wide, v)
				narrow = o.AppendUint16(narrow, uint16(v))
			}
			out = append(out, Needle{fmt.Sprintf("%s %d to %d as 32-bit integers, %s", what, i, i+3, o), wide},
				Needle{fmt.Sprintf("%s %d to %d as 16-bit integers, %s", what, i, i+3, o), narrow})
		}
	}
	return out
}

// Text makes a needle from a text.
func Text(what, text string) []Needle { return []Needle{{what, []byte(text)}} }

// Secret makes needles from key material: raw, hex, and base64 without its last characters, which depend on what follows.
func Secret(what string, secret []byte) []Needle {
	return []Needle{
		{what, secret},
		{what + " in hex", []byte(hex.EncodeToString(secret))},
		{what + " in base64", []byte(base64.RawStdEncoding.EncodeToString(secret[:len(secret)/3*3]))},
		{what + " in URL base64", []byte(base64.RawURLEncoding.EncodeToString(secret[:len(secret)/3*3]))},
	}
}
