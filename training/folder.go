package training

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// writeFolder makes a folder with the given files so that it is there completely or not at all: everything is written
// and synced in a folder beside it first. A folder of that name with the same contents is left as it is, one with other
// contents is replaced; whenever a crash cuts that off, readers find the old one or the new one (see standing). At most
// one writer at a time. What is at path but is not a folder of such files is refused rather than removed.
func writeFolder(path string, files map[string][]byte) error {
	r := replacementOf(path)
	if err := r.recover(); err != nil {
		return err
	}
	if holds(path, files) {
		return nil
	}
	if err := replaceable(path, files); err != nil {
		return err
	}
	if err := r.prepare(files); err != nil {
		return errors.Join(err, os.RemoveAll(r.fresh)) // what is half-written would fill the disk
	}
	for _, step := range r.steps() {
		if err := step(); err != nil {
			return errors.Join(err, r.recover())
		}
	}
	return nil
}

// CheckPlace makes the folder of checkpoints called dir/prefix-<step> and tries whether one can be written there.
func CheckPlace(dir, prefix string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("checkpoints in %q: %w", dir, err)
	}
	probe, err := os.MkdirTemp(dir, "."+prefix+".probe-")
	if err != nil {
		return fmt.Errorf("checkpoints in %q: %w", dir, err)
	}
	return os.Remove(probe)
}

// A replacement puts a folder in the place of another: fresh is written, path is renamed to old, fresh to path, and old
// is removed. Between the renames there is nothing at path, and readers take old.
type replacement struct{ path, fresh, old string }

func replacementOf(path string) replacement {
	path = filepath.Clean(path)
	parent, name := filepath.Dir(path), filepath.Base(path)
	return replacement{path, filepath.Join(parent, "."+name+".new"), filepath.Join(parent, "."+name+".old")}
}

// errForeign says that a folder to be replaced holds what was not written here.
var errForeign = errors.New("something else is there; move it away, or choose another place")

// replaceable refuses to replace anything but a folder of the same files, or of those of a checkpoint.
func replaceable(path string, files map[string][]byte) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		if _, gone := os.Lstat(path); errors.Is(gone, fs.ErrNotExist) {
			return nil
		}
		return fmt.Errorf("%w: %w", err, errForeign)
	}
	for _, e := range entries {
		_, same := files[e.Name()]
		if !same && !slices.Contains([]string{ConfigFile, WeightsFile, optimizerFile, stateFile}, e.Name()) {
			return fmt.Errorf("%q: %w", filepath.Join(path, e.Name()), errForeign)
		}
	}
	return nil
}

// prepare writes and syncs the new folder.
func (r replacement) prepare(files map[string][]byte) error {
	if err := os.MkdirAll(r.fresh, 0o755); err != nil {
		return err
	}
	for name, data := range files {
		if err := writeSynced(filepath.Join(r.fresh, name), data); err != nil {
			return err
		}
	}
	return syncFolder(r.fresh)
}

// steps lists what is to be done after prepare. A crash between any two loses nothing.
func (r replacement) steps() []func() error {
	return []func() error{
		func() error { return optional(os.Rename(r.path, r.old)) }, // there may be none yet
		func() error { return os.Rename(r.fresh, r.path) },
		func() error { return syncFolder(filepath.Dir(r.path)) },
		func() error { return os.RemoveAll(r.old) },
	}
}

// recover ends a replacement that was cut off: the old folder goes back if the new one did not take its place.
func (r replacement) recover() error {
	if _, err := os.Lstat(r.path); errors.Is(err, fs.ErrNotExist) {
		if err := optional(os.Rename(r.old, r.path)); err != nil {
			return err
		}
	}
	return errors.Join(os.RemoveAll(r.old), os.RemoveAll(r.fresh))
}

// standing returns where the folder meant by path is: at path, or where a replacement that was cut off left the old one.
func standing(path string) string {
	r := replacementOf(path)
	if _, err := os.Stat(r.path); errors.Is(err, fs.ErrNotExist) {
		if info, err := os.Stat(r.old); err == nil && info.IsDir() {
			return r.old
		}
	}
	return path
}

// optional forgives that a file is not there.
func optional(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// holds says whether the folder at path has exactly these contents in these files.
func holds(path string, files map[string][]byte) bool {
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(path, name))
		if err != nil || !bytes.Equal(got, want) {
			return false
		}
	}
	return true
}

// writeFile replaces one file so that it has the old contents or the new ones.
func writeFile(path string, data []byte) error {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // a link stays a link
	}
	temp := path + ".tmp"
	err := writeSynced(temp, data)
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, optional(os.Remove(temp)))
	}
	return syncFolder(filepath.Dir(path))
}

func writeSynced(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
