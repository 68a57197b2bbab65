package transcript

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/fedlam/fedlam/node/disk"
)

// A Folder holds the transcripts of the newest rounds.
type Folder struct {
	Dir string
	// Create opens new files; nil means disk.OSCreate.
	Create disk.Create
}

// Kept is a transcript in a folder.
type Kept struct {
	Round uint64
	Bytes int64 // of the file
}

const (
	prefix = "round-"
	suffix = ".transcript"
)

// Path returns the file of a round.
func (f Folder) Path(round uint64) string {
	return filepath.Join(f.Dir, fmt.Sprintf("%s%012d%s", prefix, round, suffix))
}

// List returns what is kept, oldest first. A folder that does not exist keeps nothing.
func (f Folder) List() ([]Kept, error) {
	entries, err := os.ReadDir(f.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list transcripts: %w", disk.Explain(err))
	}
	var out []Kept
	for _, e := range entries {
		number, isOurs := strings.CutSuffix(strings.TrimPrefix(e.Name(), prefix), suffix)
		round, err := strconv.ParseUint(number, 10, 64)
		if !isOurs || err != nil || filepath.Base(f.Path(round)) != e.Name() {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list transcripts: %w", disk.Explain(err))
		}
		out = append(out, Kept{round, info.Size()})
	}
	slices.SortFunc(out, func(a, b Kept) int { return cmp.Compare(a.Round, b.Round) })
	return out, nil
}

// Put keeps a transcript, and the newest rounds up to that many; older ones are deleted. Of two transcripts of one round the one with
// more messages stays: a node that was killed at the end of a round ends it again, and has less of it then.
func (f Folder) Put(t *Transcript, keep int) error {
	if f.Create == nil {
		f.Create = disk.OSCreate
	}
	if err := os.MkdirAll(f.Dir, 0o700); err != nil {
		return fmt.Errorf("keep transcript: %w", disk.Explain(err))
	}
	if err := f.sweep(); err != nil {
		return err
	}
	if !f.hasMore(t) {
		path := f.Path(t.Round)
		err := f.Create.Fill(path, 0o600, func(w io.Writer) error {
			_, err := t.WriteTo(w)
			return err
		})
		if err == nil {
			err = disk.Explain(disk.SyncDir(f.Dir))
		}
		if err != nil {
			return fmt.Errorf("keep transcript %q: %w", path, err)
		}
	}
	return f.prune(keep)
}

// hasMore says whether a transcript of the same round is there that holds more.
func (f Folder) hasMore(t *Transcript) bool {
	file, err := os.Open(f.Path(t.Round))
	if err != nil {
		return false
	}
	defer file.Close()
	h, err := readHeader(file)
	return err == nil && h.genesis.Equals(t.Genesis) && h.round == t.Round && h.count > len(t.Envelopes)
}

// sweep removes what a crash left behind.
func (f Folder) sweep() error {
	entries, err := os.ReadDir(f.Dir)
	if err != nil {
		return fmt.Errorf("keep transcript: %w", disk.Explain(err))
	}
	for _, e := range entries {
		if disk.IsTemporary(e.Name()) {
			if err := os.Remove(filepath.Join(f.Dir, e.Name())); err != nil {
				return fmt.Errorf("keep transcript: %w", disk.Explain(err))
			}
		}
	}
	return nil
}

// prune deletes all but the newest.
func (f Folder) prune(keep int) error {
	list, err := f.List()
	if err != nil {
		return err
	}
	for _, k := range list[:max(len(list)-keep, 0)] {
		if err := os.Remove(f.Path(k.Round)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("delete an old transcript: %w", disk.Explain(err))
		}
	}
	return nil
}
