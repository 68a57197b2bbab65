package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"unicode/utf8"
)

// Limits of a safetensors file.
const (
	maxHeader     = 16 << 20 // bytes of the JSON header
	maxTensorName = 1024     // bytes
	maxRank       = 16
)

// ErrSafetensors is wrapped by every error of ReadSafetensors that is the fault of the file.
var ErrSafetensors = errors.New("bad safetensors file")

// ReadSafetensors reads a file of at most limit bytes, with its metadata. It accepts what WriteSafetensors writes and
// what other programs write in types F32 and F64, mixed or not, in any order. It refuses gaps, overlaps, trailing
// bytes, doubled names, shapes that do not fit, and numbers that are NaN or infinite.
func ReadSafetensors(r io.Reader, limit int64) (*Set, map[string]string, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read safetensors: %w", err)
	}
	if int64(len(data)) > limit {
		return nil, nil, fmt.Errorf("read safetensors: %w: more than %d bytes", ErrSafetensors, limit)
	}
	set, metadata, err := decode(data)
	if err != nil {
		return nil, nil, fmt.Errorf("read safetensors: %w: %w", ErrSafetensors, err)
	}
	return set, metadata, nil
}

func decode(data []byte) (*Set, map[string]string, error) {
	if len(data) < 8 {
		return nil, nil, errors.New("truncated before the header")
	}
	length := binary.LittleEndian.Uint64(data)
	if length > maxHeader || length > uint64(len(data)-8) {
		return nil, nil, fmt.Errorf("a header of %d bytes, which is more than the file or %d", length, maxHeader)
	}
	header, body := data[8:8+length], data[8+length:]
	entries, metadata, err := decodeHeader(header)
	if err != nil {
		return nil, nil, fmt.Errorf("header: %w", err)
	}
	if err := checkLayout(entries, uint64(len(body))); err != nil {
		return nil, nil, err
	}
	set := &Set{}
	for _, e := range entries {
		t := Tensor{Name: e.name, Shape: e.Shape, Data: decodeNumbers(body[e.Offsets[0]:e.Offsets[1]], e.Dtype)}
		set.tensors = append(set.tensors, &t)
	}
	sort.Slice(set.tensors, func(a, b int) bool { return set.tensors[a].Name < set.tensors[b].Name })
	return set, metadata, set.Finite()
}

func decodeNumbers(raw []byte, dtype Dtype) []float64 {
	out := make([]float64, len(raw)/dtype.size())
	for k := range out {
		if dtype == F64 {
			out[k] = math.Float64frombits(binary.LittleEndian.Uint64(raw[8*k:]))
		} else {
			out[k] = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[4*k:])))
		}
	}
	return out
}

type namedEntry struct {
	name string
	tensorEntry
}

// decodeHeader goes through the JSON object key by key, since decoding into a map would hide doubled names.
func decodeHeader(header []byte) ([]namedEntry, map[string]string, error) {
	if !utf8.Valid(header) {
		return nil, nil, errors.New("not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(header))
	dec.DisallowUnknownFields()
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, nil, errors.New("does not begin with {")
	}
	var entries []namedEntry
	var metadata map[string]string
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, nil, err
		}
		name, ok := token.(string)
		switch {
		case !ok || name == "" || len(name) > maxTensorName:
			return nil, nil, fmt.Errorf("tensor name of %d bytes, want 1 to %d", len(name), maxTensorName)
		case seen[name]:
			return nil, nil, fmt.Errorf("%q appears twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			if err := dec.Decode(&metadata); err != nil {
				return nil, nil, fmt.Errorf("metadata: %w", err)
			}
			continue
		}
		e := namedEntry{name: name}
		if err := dec.Decode(&e.tensorEntry); err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		entries = append(entries, e)
	}
	if _, err := dec.Token(); err != nil {
		return nil, nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("text after the closing }")
	}
	return entries, metadata, nil
}

// checkLayout demands that the tensors fill the body without gaps or overlaps, and that sizes follow from shapes.
func checkLayout(entries []namedEntry, body uint64) error {
	sort.SliceStable(entries, func(a, b int) bool {
		x, y := entries[a].Offsets, entries[b].Offsets
		return x[0] < y[0] || x[0] == y[0] && x[1] < y[1]
	})
	at := uint64(0)
	for _, e := range entries {
		if e.Dtype.size() == 0 {
			return fmt.Errorf("tensor %q has type %.20q, want F32 or F64", e.name, e.Dtype)
		}
		if len(e.Shape) > maxRank {
			return fmt.Errorf("tensor %q has %d dimensions, want at most %d", e.name, len(e.Shape), maxRank)
		}
		n, err := count(e.Shape)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", e.name, err)
		}
		size := uint64(n) * uint64(e.Dtype.size())
		if e.Offsets[0] != at || e.Offsets[1] != at+size || at+size > body {
			return fmt.Errorf("tensor %q of shape %v lies at bytes %d to %d, want %d to %d in a body of %d", e.name, e.Shape, e.Offsets[0], e.Offsets[1], at, at+size, body)
		}
		at += size
	}
	if at != body {
		return fmt.Errorf("%d bytes after the last tensor", body-at)
	}
	return nil
}
