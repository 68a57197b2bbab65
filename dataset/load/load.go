// Package load opens labelled frames whatever their format is: the one entry for commands and nodes.
//
//	train.xyz            extended XYZ (also .extxyz)
//	water/data_0         a DeePMD system: a folder that holds type.raw
//	water                a folder below which there are DeePMD systems; they are joined in the order of their paths
//	train.xyz:0:250      frames 0 to 249 of any of these; an omitted bound means the start or the end
//
// The range is that of a Go slice, without negative numbers. Several members of a federation may so hold different
// ranges of one file.
package load

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/deepmd"
	"github.com/fedlam/fedlam/dataset/extxyz"
)

var (
	// ErrFormat is wrapped by the error about a path that holds no format known here.
	ErrFormat = errors.New("no known format of frames")
	// ErrEmpty is wrapped by the error about a file or range without frames.
	ErrEmpty = errors.New("there are no frames")
)

// Options for frames that do not say everything about themselves.
type Options struct {
	// TypeMap names the types of a DeePMD system without type_map.raw; in a model's input, its type_map.
	TypeMap []string
}

// Open reads all frames at path, stored under conv; nil means canonical units with every label optional. See the
// package comment for paths. Frames carry the path and their index there, counted before a range was taken.
func Open(path string, conv *dataset.Convention) ([]dataset.Frame, error) {
	return OpenWith(path, conv, Options{})
}

// OpenWith is Open with options.
func OpenWith(path string, conv *dataset.Convention, opts Options) ([]dataset.Frame, error) {
	path, part, err := cut(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open frames: %w", err)
	}
	if info.IsDir() {
		frames, err := openFolder(path, conv, opts)
		if err != nil {
			return nil, err
		}
		return part.of(path, frames)
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".xyz", ".extxyz":
		frames, err := extxyz.ReadFileRange(path, conv, part.from, part.to)
		if err == nil && len(frames) == 0 {
			err = fmt.Errorf("open %q: %w in %s", path, ErrEmpty, part)
		}
		return frames, err
	}
	return nil, fmt.Errorf("open %q: %w: files end in .xyz or .extxyz, folders hold DeePMD systems (type.raw)", path, ErrFormat)
}

func openFolder(path string, conv *dataset.Convention, opts Options) ([]dataset.Frame, error) {
	systems, err := deepmd.Find(path)
	if err != nil {
		return nil, err
	}
	if len(systems) == 0 {
		return nil, fmt.Errorf("open %q: %w: there is no DeePMD system (type.raw) in or below the folder", path, ErrFormat)
	}
	var all []dataset.Frame
	for _, system := range systems {
		frames, err := deepmd.Read(system, conv, deepmd.Options{TypeMap: opts.TypeMap})
		if err != nil {
			return nil, err
		}
		all = append(all, frames...)
	}
	return all, nil
}

// A span is a range of frames; to = -1 means up to the last.
type span struct{ from, to int }

// cut takes the range off a path. A path that exists as it stands has none.
func cut(path string) (string, span, error) {
	whole := span{0, -1}
	if _, err := os.Stat(path); err == nil {
		return path, whole, nil
	}
	second := strings.LastIndexByte(path, ':')
	if second < 0 {
		return path, whole, nil
	}
	first := strings.LastIndexByte(path[:second], ':')
	if first < 0 || strings.Trim(path[first:], "0123456789:") != "" {
		return path, whole, nil
	}
	part := whole
	for _, bound := range []struct {
		text string
		into *int
	}{{path[first+1 : second], &part.from}, {path[second+1:], &part.to}} {
		if bound.text == "" {
			continue
		}
		n, err := strconv.ParseUint(bound.text, 10, 31)
		if err != nil {
			return "", whole, fmt.Errorf("open %q: the frame range has a bound that is too large", path)
		}
		*bound.into = int(n)
	}
	if part.to >= 0 && part.to < part.from {
		return "", whole, fmt.Errorf("open %q: the frame range ends before it begins", path)
	}
	return path[:first], part, nil
}

func (s span) of(path string, frames []dataset.Frame) ([]dataset.Frame, error) {
	to := s.to
	if to < 0 {
		to = len(frames)
	}
	if s.from > to || to > len(frames) {
		return nil, fmt.Errorf("open %q: it has %d frames, which does not cover %s", path, len(frames), s)
	}
	if s.from == to {
		return nil, fmt.Errorf("open %q: %w in %s", path, ErrEmpty, s)
	}
	return frames[s.from:to], nil
}

func (s span) String() string {
	if s == (span{0, -1}) {
		return "it"
	}
	if s.to < 0 {
		return fmt.Sprintf("the range %d:", s.from)
	}
	return fmt.Sprintf("the range %d:%d", s.from, s.to)
}
