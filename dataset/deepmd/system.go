package deepmd

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fedlam/fedlam/dataset"
)

// ErrSystem is wrapped by every error about the layout of a system.
var ErrSystem = errors.New("bad DeePMD system")

const maxTextFile = 64 << 20 // bytes of type.raw or type_map.raw

// IsSystem reports whether dir is a system: it holds type.raw.
func IsSystem(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "type.raw"))
	return err == nil && info.Mode().IsRegular()
}

// Find returns the systems in and below root, sorted by path.
func Find(root string) ([]string, error) {
	var systems []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && IsSystem(path) {
			systems = append(systems, path)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for DeePMD systems below %q: %w", root, err)
	}
	return systems, nil
}

// Options for Read.
type Options struct {
	// TypeMap names the types of a system that has no type_map.raw.
	TypeMap []string
}

// Read returns the frames of the system in dir, converted by conv; nil means DeePMD's own units: Å, eV, eV/Å, virial eV.
func Read(dir string, conv *dataset.Convention, opts Options) ([]dataset.Frame, error) {
	s, err := open(dir, opts)
	if err != nil {
		return nil, err
	}
	var frames []dataset.Frame
	for _, set := range s.sets {
		raws, err := s.readSet(set, len(frames))
		if err != nil {
			return nil, fmt.Errorf("DeePMD system %q, %s: %w", dir, filepath.Base(set), err)
		}
		for _, raw := range raws {
			frame, err := conv.Canonical(raw)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(set), err)
			}
			frames = append(frames, frame)
		}
	}
	return frames, nil
}

type system struct {
	dir     string
	species []string // [N] by type.raw
	typeMap []string
	mixed   bool
	open    bool // nopbc
	sets    []string
}

func open(dir string, opts Options) (*system, error) {
	s := &system{dir: dir}
	bad := func(format string, args ...any) (*system, error) {
		return nil, fmt.Errorf("%w %q: %s", ErrSystem, dir, fmt.Sprintf(format, args...))
	}
	types, err := words(filepath.Join(dir, "type.raw"))
	if err != nil {
		return bad("%v", err)
	}
	s.typeMap, err = words(filepath.Join(dir, "type_map.raw"))
	if errors.Is(err, fs.ErrNotExist) {
		s.typeMap = opts.TypeMap
		if s.typeMap == nil {
			return bad("there is no type_map.raw; add one that names the element of each type, in order")
		}
	} else if err != nil {
		return bad("%v", err)
	}
	if s.sets, err = filepath.Glob(filepath.Join(globSafe(dir), "set.*")); err != nil || len(s.sets) == 0 {
		return bad("there is no set.* folder with coord.npy")
	}
	slices.Sort(s.sets)
	_, err = os.Stat(filepath.Join(s.sets[0], "real_atom_types.npy"))
	s.mixed = err == nil
	_, err = os.Stat(filepath.Join(dir, "nopbc"))
	s.open = err == nil
	for i, word := range types {
		t, err := strconv.Atoi(word)
		if err != nil {
			return bad("type.raw: entry %d is not a number", i)
		}
		if s.mixed && t != 0 {
			return bad("type.raw: entry %d is not 0, which a mixed_type system needs", i)
		}
		name, ok := s.name(t)
		if !ok {
			return bad("type.raw: entry %d is type %d, type_map has %d names", i, t, len(s.typeMap))
		}
		s.species = append(s.species, name)
	}
	if len(s.species) == 0 {
		return bad("type.raw is empty")
	}
	return s, nil
}

// globSafe escapes the characters that a pattern treats specially.
func globSafe(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

func (s *system) name(t int) (string, bool) {
	if t == -1 {
		return "", true
	}
	if t < 0 || t >= len(s.typeMap) {
		return "", false
	}
	return s.typeMap[t], true
}

func words(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxTextFile {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d allowed", filepath.Base(path), info.Size(), maxTextFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text)), nil
}
