package demo

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/fedlam/fedlam/dataset/extxyz"
)

// manifestText is the manifest of the demo; see package manifest for its keys.
//
//go:embed water.toml
var manifestText string

const (
	// DefaultRounds is the number of rounds that Write takes for 0.
	DefaultRounds = 80
	// ManifestFile is the name of the manifest that Write makes.
	ManifestFile = "manifest.toml"

	defaultFrames = 100 // of each member
)

// Options of Write. Zero fields take the defaults given here.
type Options struct {
	Rounds int // DefaultRounds
	Frames int // of each member; 100
}

// Write puts data/<member>.xyz, conventions/<member>.json and the manifest into dir, which exists, and returns the path
// of the manifest. Files of an earlier demo are replaced.
func Write(dir string, opts Options) (string, error) {
	if opts.Rounds == 0 {
		opts.Rounds = DefaultRounds
	}
	if opts.Frames == 0 {
		opts.Frames = defaultFrames
	}
	if opts.Rounds < 1 || opts.Frames < 1 {
		return "", errors.New("make the demo: the numbers of rounds and frames must be positive")
	}
	for _, sub := range []string{"data", "conventions"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return "", fmt.Errorf("make the demo: %w", err)
		}
	}
	var all errgroup.Group
	for _, s := range sites() {
		all.Go(func() error { return s.write(dir, opts.Frames) })
	}
	if err := all.Wait(); err != nil {
		return "", fmt.Errorf("make the demo: %w", err)
	}
	path := filepath.Join(dir, ManifestFile)
	text := strings.Replace(manifestText, "rounds = 0\n", fmt.Sprintf("rounds = %d\n", opts.Rounds), 1)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return "", fmt.Errorf("make the demo: %w", err)
	}
	return path, nil
}

func (s site) write(dir string, frames int) error {
	labelled, err := s.sample(frames)
	if err != nil {
		return err
	}
	convention := s.describe()
	text, err := json.MarshalIndent(convention, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "conventions", s.name+".json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return extxyz.WriteFile(filepath.Join(dir, "data", s.name+".xyz"), convention, labelled)
}
