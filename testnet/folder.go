package testnet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrForeign refuses a folder that holds something else than an earlier run.
var ErrForeign = errors.New("the folder is not empty and was not made by an earlier run: choose another one with --dir, or empty it yourself")

// markerFile tells that a folder belongs to this package.
const markerFile = "fedlam-testnet"

const markerText = "This folder was made by `fedlam demo` or `fedlam testnet run`, which may remove what is in it.\n"

// A Folder holds one run.
type Folder struct {
	dir string // absolute
}

// Claim takes a folder for a run: a new or empty one, or that of an earlier run, from which everything is removed.
// Anything else is refused with ErrForeign and left as it is.
func Claim(dir string) (*Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("prepare the folder: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("prepare the folder: %w", err)
	}
	if len(entries) > 0 {
		if err := clean(dir, entries); err != nil {
			return nil, fmt.Errorf("prepare the folder %q: %w", dir, err)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("prepare the folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, markerFile), []byte(markerText), 0o644); err != nil {
		return nil, fmt.Errorf("prepare the folder: %w", err)
	}
	return &Folder{dir}, nil
}

// clean removes an earlier run; the marker goes last, so that an interrupted cleaning can be taken up again.
func clean(dir string, entries []fs.DirEntry) error {
	text, err := os.ReadFile(filepath.Join(dir, markerFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && string(text) != markerText {
		return ErrForeign
	}
	if err != nil {
		return err
	}
	if running := runningNodes(filepath.Join(dir, "nodes")); len(running) > 0 {
		return fmt.Errorf("nodes of the earlier run are still running (%s): stop them first", running[0])
	}
	for _, e := range entries {
		if e.Name() == markerFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Path returns the absolute path of something in the folder.
func (f *Folder) Path(elements ...string) string {
	return filepath.Join(append([]string{f.dir}, elements...)...)
}

// makeDir makes a folder in the folder and returns its path.
func (f *Folder) makeDir(elements ...string) (string, error) {
	path := f.Path(elements...)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return "", fmt.Errorf("make a folder for the run: %w", err)
	}
	return path, nil
}
