package weights

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
)

// Dtype is the type of the numbers in a safetensors file.
type Dtype string

// The types that are read and written.
const (
	F32 Dtype = "F32"
	F64 Dtype = "F64"
)

// size returns the bytes of one number, 0 for types that are not supported.
func (d Dtype) size() int { return map[Dtype]int{F32: 4, F64: 8}[d] }

// WriteSafetensors writes all tensors with the given type. The bytes depend on nothing but the arguments: the header
// lists metadata first, then the tensors by name, and is padded with blanks to a multiple of eight bytes; the data
// follow in the same order, little-endian, without gaps. Numbers that F32 cannot hold (NaN, infinite, too large) are refused.
func WriteSafetensors(w io.Writer, s *Set, dtype Dtype, metadata map[string]string) error {
	if dtype.size() == 0 {
		return fmt.Errorf("write safetensors: unknown type %q, want F32 or F64", dtype)
	}
	if err := s.Finite(); err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	header, err := encodeHeader(s, dtype, metadata)
	if err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	b := bufio.NewWriter(w)
	put := func(p []byte) { _, _ = b.Write(p) } // bufio keeps the first error until Flush
	put(binary.LittleEndian.AppendUint64(nil, uint64(len(header))))
	put(header)
	var word []byte
	for _, t := range s.tensors {
		for k, v := range t.Data {
			if dtype == F64 {
				word = binary.LittleEndian.AppendUint64(word[:0], math.Float64bits(v))
			} else {
				single := float32(v)
				if math.IsInf(float64(single), 0) {
					return fmt.Errorf("write safetensors: tensor %q: entry %d is too large for F32", t.Name, k)
				}
				word = binary.LittleEndian.AppendUint32(word[:0], math.Float32bits(single))
			}
			put(word)
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	return nil
}

// tensorEntry is the description of one tensor in the header, with its keys in the order in which they are written.
type tensorEntry struct {
	Dtype   Dtype     `json:"dtype"`
	Shape   []int     `json:"shape"`
	Offsets [2]uint64 `json:"data_offsets"` // of the bytes, from the end of the header
}

func encodeHeader(s *Set, dtype Dtype, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	separator := byte('{')
	put := func(key string, value any) error {
		b.WriteByte(separator)
		separator = ','
		if err := enc.Encode(key); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // the encoder's line feed
		b.WriteByte(':')
		if err := enc.Encode(value); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1)
		return nil
	}
	if len(metadata) > 0 {
		if err := put("__metadata__", maps.Clone(metadata)); err != nil { // encoding/json sorts the keys
			return nil, err
		}
	}
	at := uint64(0)
	for _, t := range s.tensors {
		if t.Name == "__metadata__" {
			return nil, fmt.Errorf("tensor with the reserved name %q", t.Name)
		}
		end := at + uint64(len(t.Data)*dtype.size())
		shape := append(make([]int, 0, len(t.Shape)), t.Shape...) // never null
		if err := put(t.Name, tensorEntry{dtype, shape, [2]uint64{at, end}}); err != nil {
			return nil, err
		}
		at = end
	}
	if b.Len() == 0 {
		b.WriteByte('{')
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	return b.Bytes(), nil
}
