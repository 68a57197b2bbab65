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
		return "", fmt.Errorf("find checkpoint: %q should hold the name of a checkpoint folder beside it; write the newest one's into it", filepath.Join(dir, pointerFile))
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
