package disk

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// temporaryPrefix begins the name of a file that is being written; what carries it after a crash is rubbish.
const temporaryPrefix = ".writing-"

// IsTemporary reports whether name was left behind by a write that a crash cut off.
func IsTemporary(name string) bool { return strings.HasPrefix(filepath.Base(name), temporaryPrefix) }

// WriteFile is the package's WriteFile with files opened by c.
func (c Create) WriteFile(path string, data []byte, perm fs.FileMode) error {
	if err := c.Replace(path, data, perm); err != nil {
		return err
	}
	return Explain(SyncDir(filepath.Dir(path)))
}

// Replace is WriteFile without the sync of the folder: a caller that writes many files into one folder calls SyncDir
// once after the last.
func (c Create) Replace(path string, data []byte, perm fs.FileMode) error {
	return c.Fill(path, perm, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Fill is Replace for content that fill writes piece by piece.
func (c Create) Fill(path string, perm fs.FileMode, fill func(w io.Writer) error) error {
	var random [8]byte
	rand.Read(random[:])
	temporary := filepath.Join(filepath.Dir(path), temporaryPrefix+hex.EncodeToString(random[:]))
	if err := c.write(temporary, perm, fill); err != nil {
		os.Remove(temporary)
		return Explain(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		os.Remove(temporary)
		return Explain(err)
	}
	return nil
}

func (c Create) write(path string, perm fs.FileMode, fill func(w io.Writer) error) error {
	f, err := c(path, perm)
	if err != nil {
		return err
	}
	if err := fill(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// SyncDir makes the names in a folder durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.Sync(); err != nil {
		d.Close()
		return err
	}
	return d.Close()
}
