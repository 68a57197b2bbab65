package training

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// writeFolder makes a folder with the given files so that it is there completely or not at all: everything is written
// and synced under a temporary name beside it first. A folder of that name with the same contents is left as it is, one
// with other contents is replaced.
func writeFolder(path string, files map[string][]byte) error {
	if holds(path, files) {
		return nil
	}
	parent := filepath.Dir(path)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(parent, "."+filepath.Base(path)+".tmp-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp) // after the rename there is nothing left to remove
	for name, data := range files {
		if err := writeSynced(filepath.Join(temp, name), data); err != nil {
			return err
		}
	}
	if err := errors.Join(os.Chmod(temp, 0o755), syncFolder(temp), os.RemoveAll(path)); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncFolder(parent)
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

// writeFile replaces one file in the same way.
func writeFile(path string, data []byte) error {
	temp := path + ".tmp"
	if err := writeSynced(temp, data); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func writeSynced(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// pointerFile names the newest checkpoint among those beside it, as in DeePMD-kit.
const pointerFile = "checkpoint"

// LatestCheckpoint returns the folder that the file "checkpoint" in dir points to, or "" when dir has none.
func LatestCheckpoint(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, pointerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find checkpoint: %w", err)
	}
	name := string(bytes.TrimSpace(text))
	if name == "" || name != filepath.Base(name) {
		return "", fmt.Errorf("find checkpoint: %s should hold the name of a folder beside it", filepath.Join(dir, pointerFile))
	}
	return filepath.Join(dir, name), nil
}

// pruneCheckpoints removes all but the newest keep folders called <prefix>-<step>. keep 0 keeps all.
func pruneCheckpoints(dir, prefix string, keep int) error {
	entries, err := os.ReadDir(dir)
	if err != nil || keep <= 0 {
		return err
	}
	var steps []int
	for _, e := range entries {
		if number, ok := strings.CutPrefix(e.Name(), prefix+"-"); ok && e.IsDir() {
			if n, err := strconv.Atoi(number); err == nil {
				steps = append(steps, n)
			}
		}
	}
	sort.Sort(sort.Reverse(sort.IntSlice(steps)))
	for _, n := range steps[min(keep, len(steps)):] {
		if err := os.RemoveAll(filepath.Join(dir, fmt.Sprintf("%s-%d", prefix, n))); err != nil {
			return err
		}
	}
	return nil
}
