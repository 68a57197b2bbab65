package deepmd

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// ErrNPY is wrapped by every error about the contents of an .npy file.
var ErrNPY = errors.New("not a usable npy array")

// maxHeader bounds the text header; real ones have about 120 bytes.
const maxHeader = 1 << 16

// An array is what an .npy file holds, converted to float64. Integers above 2^53 would lose digits and are refused.
type array struct {
	shape []int
	data  []float64
}

// rows returns the first dimension; a number without dimensions has one row.
func (a *array) rows() int {
	if len(a.shape) == 0 {
		return 1
	}
	return a.shape[0]
}

func readFile(path string) (*array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read %q: %w: not a regular file", path, ErrNPY)
	}
	a, err := decode(bufio.NewReader(f), info.Size())
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	return a, nil
}

// decode reads an array of at most size bytes, header included. Nothing is allocated for numbers that size rules out.
func decode(r io.Reader, size int64) (*array, error) {
	if size == 0 {
		return nil, fmt.Errorf("%w: the file is empty; fetch it again", ErrNPY)
	}
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	kind, err := kindOf(h.descr)
	if err != nil {
		return nil, err
	}
	count := int64(1)
	for _, n := range h.shape {
		if n > 0 && count > size/int64(n) {
			return nil, fmt.Errorf("%w: the header promises more numbers than the file can hold; it was cut off, fetch it again", ErrNPY)
		}
		count *= int64(n)
	}
	if count*int64(kind.size) > size-h.length {
		return nil, fmt.Errorf("%w: the header promises %d numbers and the file ends before; it was cut off, fetch it again", ErrNPY, count)
	}
	if h.fortran && len(h.shape) > 1 {
		return nil, fmt.Errorf("%w: Fortran order; save it again with numpy.ascontiguousarray", ErrNPY)
	}
	raw := make([]byte, count*int64(kind.size))
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNPY, err)
	}
	a := &array{shape: h.shape, data: make([]float64, count)}
	for i := range a.data {
		v, ok := kind.read(raw[i*kind.size:])
		if !ok {
			return nil, fmt.Errorf("%w: entry %d is an integer too large to keep exactly", ErrNPY, i)
		}
		a.data[i] = v
	}
	return a, nil
}

type header struct {
	descr   string
	fortran bool
	shape   []int
	length  int64 // bytes before the numbers
}

func readHeader(r io.Reader) (header, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil || string(start[:6]) != "\x93NUMPY" {
		return header{}, fmt.Errorf("%w: the file does not begin with the npy signature", ErrNPY)
	}
	var length uint32
	width := int64(4)
	if start[6] == 1 {
		var short uint16
		if err := binary.Read(r, binary.LittleEndian, &short); err != nil {
			return header{}, fmt.Errorf("%w: no header", ErrNPY)
		}
		length, width = uint32(short), 2
	} else if start[6] != 2 && start[6] != 3 {
		return header{}, fmt.Errorf("%w: npy version %d is not known", ErrNPY, start[6])
	} else if err := binary.Read(r, binary.LittleEndian, &length); err != nil {
		return header{}, fmt.Errorf("%w: no header", ErrNPY)
	}
	if length > maxHeader {
		return header{}, fmt.Errorf("%w: header of %d bytes", ErrNPY, length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return header{}, fmt.Errorf("%w: the header ends early", ErrNPY)
	}
	h, err := parseHeader(string(text))
	h.length = 8 + width + int64(length)
	return h, err
}

// parseHeader reads the Python dictionary that numpy writes: {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }.
func parseHeader(text string) (header, error) {
	bad := func(what string) (header, error) { return header{}, fmt.Errorf("%w: header without %s", ErrNPY, what) }
	field := func(name string) (string, bool) {
		_, rest, ok := strings.Cut(text, "'"+name+"'")
		rest, colon := strings.CutPrefix(strings.TrimLeft(rest, " "), ":")
		return strings.TrimLeft(rest, " "), ok && colon
	}
	var h header
	descr, ok := field("descr")
	if !ok || len(descr) < 2 || descr[0] != '\'' {
		return bad("a plain descr")
	}
	h.descr, _, ok = strings.Cut(descr[1:], "'")
	if !ok {
		return bad("a plain descr")
	}
	order, ok := field("fortran_order")
	if !ok {
		return bad("fortran_order")
	}
	h.fortran = strings.HasPrefix(order, "True")
	shape, ok := field("shape")
	if !ok || !strings.HasPrefix(shape, "(") {
		return bad("shape")
	}
	list, _, ok := strings.Cut(shape[1:], ")")
	if !ok {
		return bad("shape")
	}
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word == "" {
			continue
		}
		n, err := strconv.ParseInt(word, 10, 48)
		if err != nil || n < 0 || len(h.shape) == 32 {
			return bad("a sensible shape")
		}
		h.shape = append(h.shape, int(n))
	}
	return h, nil
}

// A kind is a type of number in a file.
type kind struct {
	size int
	read func([]byte) (float64, bool)
}

func kindOf(descr string) (kind, error) {
	le := binary.LittleEndian
	switch strings.TrimLeft(descr, "<|=") {
	case "f8":
		return kind{8, func(b []byte) (float64, bool) { return math.Float64frombits(le.Uint64(b)), true }}, nil
	case "f4":
		return kind{4, func(b []byte) (float64, bool) { return float64(math.Float32frombits(le.Uint32(b))), true }}, nil
	case "i8":
		return kind{8, func(b []byte) (float64, bool) {
			v := int64(le.Uint64(b))
			return float64(v), v >= -1<<53 && v <= 1<<53
		}}, nil
	case "i4":
		return kind{4, func(b []byte) (float64, bool) { return float64(int32(le.Uint32(b))), true }}, nil
	case "i1":
		return kind{1, func(b []byte) (float64, bool) { return float64(int8(b[0])), true }}, nil
	case "u1", "b1":
		return kind{1, func(b []byte) (float64, bool) { return float64(b[0]), true }}, nil
	}
	return kind{}, fmt.Errorf("%w: numbers of type %q; save them as little-endian float32, float64, int32 or int64", ErrNPY, descr)
}

// encode writes float64 (descr "<f8") or integer ("<i8") numbers as an npy file of version 1.0.
func encode(w io.Writer, descr string, shape []int, data []float64) error {
	dims := make([]string, len(shape))
	for i, n := range shape {
		dims[i] = strconv.Itoa(n)
	}
	list := strings.Join(dims, ", ")
	if len(shape) == 1 {
		list += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, list)
	text += strings.Repeat(" ", 63-(len(text)+10)%64) + "\n"
	buf := append([]byte("\x93NUMPY\x01\x00"), byte(len(text)), byte(len(text)>>8))
	buf = append(buf, text...)
	for _, v := range data {
		bits := math.Float64bits(v)
		if descr == "<i8" {
			bits = uint64(int64(v))
		}
		buf = binary.LittleEndian.AppendUint64(buf, bits)
	}
	_, err := w.Write(buf)
	return err
}
