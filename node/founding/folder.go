package founding

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/home"
	"github.com/ipfs/go-cid"
)

const (
	maxText    = 16 << 20
	maxWeights = 4 << 30
)

// Write stores the documents in a folder, which is created; nothing there is replaced.
func (d *Documents) Write(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, ledger.GenesisFile)); err == nil {
		return fmt.Errorf("write the founding documents: %q holds a genesis already; choose another folder", dir)
	}
	if err := os.MkdirAll(filepath.Join(dir, "heads"), 0o755); err != nil {
		return fmt.Errorf("write the founding documents: %w", disk.Explain(err))
	}
	files := map[string][]byte{ledger.ConfigFile: d.Config, ledger.WeightsFile: d.Weights}
	for key, text := range d.Conventions {
		files[ledger.ConventionFile(key)] = text
	}
	if len(d.Canaries) > 0 {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(filepath.FromSlash(ledger.CanaryFile("")))), 0o755); err != nil {
			return fmt.Errorf("write the founding documents: %w", disk.Explain(err))
		}
	}
	for key, text := range d.Canaries {
		files[ledger.CanaryFile(key)] = text
	}
	for name, text := range files {
		if err := disk.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), text, 0o644); err != nil {
			return fmt.Errorf("write the founding documents: %w", err)
		}
	}
	// The genesis comes last: with it the folder is complete.
	if err := disk.WriteFile(filepath.Join(dir, ledger.GenesisFile), d.Genesis, 0o644); err != nil {
		return fmt.Errorf("write the founding documents: %w", err)
	}
	return nil
}

// Read reads a founding folder, or a genesis file with the others beside it, and checks every file against the genesis.
func Read(path string) (*Documents, *ledger.Genesis, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, ledger.GenesisFile)
	}
	text, err := home.ReadGenesis(path)
	if errors.Is(err, home.ErrNoGenesis) {
		return nil, nil, fmt.Errorf("there is no genesis document at %q: ask who started the federation for it", path)
	}
	if err != nil {
		return nil, nil, err
	}
	g, err := ledger.DecodeGenesis(text)
	if err != nil {
		return nil, nil, fmt.Errorf("read genesis %q: %w", path, err)
	}
	d := &Documents{Genesis: text, Conventions: map[string][]byte{}, Canaries: map[string][]byte{}}
	dir := filepath.Dir(path)
	if d.Config, err = readChecked(dir, ledger.ConfigFile, g.Config, maxText); err != nil {
		return nil, nil, err
	}
	if d.Weights, err = readChecked(dir, ledger.WeightsFile, g.Weights, maxWeights); err != nil {
		return nil, nil, err
	}
	for _, h := range g.Heads {
		convention, err := readChecked(dir, ledger.ConventionFile(h.Key), h.Convention, maxText)
		if err != nil {
			return nil, nil, err
		}
		d.Conventions[h.Key] = convention
		if !h.Canary.Defined() {
			continue
		}
		if d.Canaries[h.Key], err = readChecked(dir, ledger.CanaryFile(h.Key), h.Canary, MaxCanary); err != nil {
			return nil, nil, err
		}
	}
	return d, g, nil
}

// readChecked reads a file that the genesis names.
func readChecked(dir, name string, want cid.Cid, limit int64) ([]byte, error) {
	path := filepath.Join(dir, filepath.FromSlash(name))
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%q is missing: keep the files of the founding folder together, or fetch the folder again", path)
	}
	if err != nil {
		return nil, fmt.Errorf("read founding document: %w", disk.Explain(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	if got := ledger.FileCID(text); int64(len(text)) > limit || !got.Equals(want) {
		return nil, fmt.Errorf("%q is not the file that the genesis names (%s): fetch the founding folder again", path, want)
	}
	return text, nil
}
