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
	"syscall"
)

// pointerFile names the newest checkpoint among those beside it, as in DeePMD-kit.
const pointerFile = "checkpoint"

// LatestCheckpoint returns the folder that the file "checkpoint" in dir points to, or "" when dir has none.
func LatestCheckpoint(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, pointerFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // that dir is no folder is for CheckPlace to say
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("find checkpoint: %w", err)
	}
	name := string(bytes.TrimSpace(text))
	if name == "" || name != filepath.Base(name) {
		return "", fmt.Errorf("find checkpoint: %q should hold the name of a checkpoint folder beside it; write the newest one's into it", filepath.Join(dir, pointerFile))
	}
	return filepath.Join(dir, name), nil
}

// pruneCheckpoints removes all but the newest keep folders called <prefix>-<step>, and what an earlier run left when it
// was cut off while it saved. keep 0 keeps all.
func pruneCheckpoints(dir, prefix string, keep int) error {
	if err := sweep(dir, prefix); err != nil {
		return err
	}
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

// sweep ends the replacements that were cut off.
func sweep(dir, prefix string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name, hidden := strings.CutPrefix(e.Name(), "."+prefix+"-")
		ext := filepath.Ext(name)
		if step := strings.TrimSuffix(name, ext); hidden && (ext == ".new" || ext == ".old") && isNumber(step) {
			if err := replacementOf(filepath.Join(dir, prefix+"-"+step)).recover(); err != nil {
				return err
			}
		}
	}
	return nil
}

func isNumber(text string) bool {
	_, err := strconv.ParseUint(text, 10, 63)
	return err == nil
}
