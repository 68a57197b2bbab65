package extxyz

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/fedlam/fedlam/dataset"
)

// ErrSyntax is wrapped by every error about the form of a file.
var ErrSyntax = errors.New("bad extended XYZ")

const (
	maxLine  = 16 << 20 // bytes of a line; key=value lines with embedded JSON reach megabytes
	maxAtoms = 1 << 26  // atoms of a frame
)

// A Reader reads frames from a stream. It is not safe for concurrent use.
type Reader struct {
	in    *bufio.Reader
	name  string
	conv  *dataset.Convention
	keys  dataset.Keys
	line  int  // lines read
	index int  // frames read or skipped
	cut   bool // the last line read has no end
	long  []byte
	words []string

	symbols     map[string]string // type names seen
	stressLabel string            // key of the stress of the frame being read
}

// NewReader returns a reader of r, whose frames are stored under conv; nil means the names and units of ASE with every
// label optional. Name stands for the stream in messages and in Frame.Source.
func NewReader(r io.Reader, name string, conv *dataset.Convention) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, 1<<16), name: name, conv: conv, keys: conv.FileKeys(), symbols: map[string]string{}}
}

// ReadFile reads every frame of a file.
func ReadFile(path string, conv *dataset.Convention) ([]dataset.Frame, error) {
	return ReadFileRange(path, conv, 0, -1)
}

// ReadFileRange reads frames from, from+1, ..., to-1 of a file, as a slice expression; to = -1 means up to the last.
// Frames outside the range are skipped without a look at their numbers. A range that leaves the file is an error.
func ReadFileRange(path string, conv *dataset.Convention, from, to int) ([]dataset.Frame, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read frames: %w", err)
	}
	defer f.Close()
	r := NewReader(f, path, conv)
	for r.index < from {
		if err := r.Skip(); err != nil {
			return nil, r.outside(err, from, to)
		}
	}
	var frames []dataset.Frame
	for to < 0 || r.index < to {
		frame, err := r.Next()
		if errors.Is(err, io.EOF) && to < 0 {
			break
		}
		if err != nil {
			return nil, r.outside(err, from, to)
		}
		frames = append(frames, frame)
	}
	return frames, nil
}

func (r *Reader) outside(err error, from, to int) error {
	if !errors.Is(err, io.EOF) {
		return err
	}
	return fmt.Errorf("%q has %d frames, which does not cover the range from %d to %d", r.name, r.index, from, to)
}

// Next reads one frame and converts it to canonical units. At the end it returns io.EOF itself.
func (r *Reader) Next() (dataset.Frame, error) {
	n, err := r.header()
	if err != nil {
		return dataset.Frame{}, err
	}
	raw, err := r.frame(n)
	if err != nil {
		return dataset.Frame{}, err
	}
	frame, err := r.canonical(raw, r.stressLabel)
	if err != nil {
		return dataset.Frame{}, fmt.Errorf("line %d: %w", r.line, err)
	}
	r.index++
	return frame, nil
}

// Skip passes over one frame. At the end it returns io.EOF itself.
func (r *Reader) Skip() error {
	n, err := r.header()
	if err != nil {
		return err
	}
	for range n + 1 {
		if _, err := r.text(); err != nil {
			return r.truncated(err)
		}
	}
	r.index++
	return nil
}

// header reads the number of atoms. Blank lines before it are passed over.
func (r *Reader) header() (int, error) {
	for {
		line, err := r.text()
		if err != nil {
			return 0, err
		}
		word := strings.TrimSpace(string(line))
		if word == "" {
			continue
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > maxAtoms {
			return 0, r.bad("number of atoms", fmt.Errorf("want a number from 1 to %d alone on the first line of a frame", maxAtoms))
		}
		return n, nil
	}
}

// text returns the next line without its end; valid until the next call.
func (r *Reader) text() ([]byte, error) {
	r.long = r.long[:0]
	for {
		part, err := r.in.ReadSlice('\n')
		if len(r.long)+len(part) > maxLine {
			r.line++
			return nil, r.bad("line", fmt.Errorf("longer than %d bytes", maxLine))
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			r.long = append(r.long, part...)
			continue
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read %q: %w", r.name, err)
		}
		if errors.Is(err, io.EOF) && len(part) == 0 && len(r.long) == 0 {
			return nil, io.EOF
		}
		r.line++
		r.cut = err != nil
		if len(r.long) > 0 {
			part = append(r.long, part...)
			r.long = part
		}
		return part, nil
	}
}

func (r *Reader) truncated(err error) error {
	if errors.Is(err, io.EOF) {
		r.cut = false
		return r.bad("end of file", errors.New("the file ends inside a frame: it was cut off, so fetch it again, or its number of atoms is wrong"))
	}
	return err
}

// bad says where the file is wrong.
func (r *Reader) bad(field string, err error) error {
	if r.cut {
		err = fmt.Errorf("%w; the file ends within this line: if it was cut off, fetch it again", err)
	}
	return fmt.Errorf("%q frame %d, line %d, %s: %w: %w", r.name, r.index, r.line, field, ErrSyntax, err)
}
