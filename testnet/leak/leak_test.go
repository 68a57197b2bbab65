package leak_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/testnet/leak"
)

var (
	coordinates = []float64{1.2345678901, -0.4711081516, 7.5, 3.1415926535, -12.8881919191}
	quantised   = []uint32{0x00012345, 0x0000a7c1, 0x00ff1234, 0x0001beef, 0x00007777}
	key         = []byte("0123456789abcdefghijklmnopqrstuv")
)

func finder() *leak.Finder {
	return leak.NewFinder(slices.Concat(leak.Numbers("coordinate", coordinates), leak.Quantised("update", quantised), leak.Secret("key", key)))
}

// noise is traffic without secrets.
func noise(n int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func float32s(v []float64, o binary.AppendByteOrder) (b []byte) {
	for _, x := range v {
		b = o.AppendUint32(b, math.Float32bits(float32(x)))
	}
	return b
}

func uint16s(v []uint32, o binary.AppendByteOrder) (b []byte) {
	for _, x := range v {
		b = o.AppendUint16(b, uint16(x))
	}
	return b
}

func encoded(o binary.ByteOrder, v any) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, o, v); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// TestFinds hides each encoding in noise, at an odd place.
func TestFinds(t *testing.T) {
	f := finder()
	for _, tt := range []struct {
		name, want string
		secret     []byte
	}{
		{"float64 little-endian", "coordinate 1 as float64", encoded(binary.LittleEndian, coordinates)},
		{"float64 big-endian", "coordinate 1 as float64", encoded(binary.BigEndian, coordinates)},
		{"one float64", "coordinate 3 as float64", encoded(binary.LittleEndian, coordinates[3])},
		{"float32 little-endian", "coordinate 0 and its successor as float32", float32s(coordinates[:2], binary.LittleEndian)},
		{"float32 big-endian", "coordinate 0 and its successor as float32", float32s(coordinates[:2], binary.BigEndian)},
		{"decimal", "coordinate 3 as text", []byte(fmt.Sprint(coordinates[3]))},
		{"decimal, fixed", "coordinate 1 as text", fmt.Appendf(nil, "%.8f", coordinates[1])},
		{"decimal, scientific", "coordinate 4 as text", []byte("-1.28881919191e+01")},
		{"JSON", "coordinate 4 as text", []byte(`{"x":[-12.8881919191]}`)},
		{"32-bit", "update 1 to 4 as 32-bit", encoded(binary.LittleEndian, quantised[1:])},
		{"32-bit big-endian", "update 0 to 3 as 32-bit", encoded(binary.BigEndian, quantised[:4])},
		{"16-bit", "update 0 to 3 as 16-bit", uint16s(quantised[:4], binary.LittleEndian)},
		{"raw key", "key at", key},
		{"hex key", "key in hex", []byte(hex.EncodeToString(key))},
		{"base64 key", "key in base64", []byte(base64.StdEncoding.EncodeToString(key))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			traffic := slices.Insert(noise(10_001), 4_711, tt.secret...)
			hits := f.Find(traffic)
			if !slices.ContainsFunc(hits, func(h leak.Hit) bool { return strings.HasPrefix(h.String(), tt.want) }) {
				t.Errorf("got %v, want %q", hits, tt.want)
			}
		})
	}
}

func TestFindsNothingInNoise(t *testing.T) {
	f := finder()
	if hits := f.Find(noise(1 << 20)); len(hits) > 0 {
		t.Errorf("found %v in noise", hits)
	}
	if hits := f.Find(key[:31]); len(hits) > 0 {
		t.Errorf("found %v in a part of the key", hits)
	}
	if hits := f.Find(nil); hits != nil {
		t.Errorf("found %v in nothing", hits)
	}
}

// TestDull: what occurs by chance is not looked for.
func TestDull(t *testing.T) {
	f := leak.NewFinder(slices.Concat(leak.Numbers("zeros", []float64{0, 0, 1, 0.5}), leak.Quantised("zeros", make([]uint32, 8)), leak.Text("short", "abc")))
	if f.Len() != 0 {
		t.Errorf("%d needles are left", f.Len())
	}
	if finder().Len() < 40 {
		t.Errorf("only %d needles", finder().Len())
	}
}
