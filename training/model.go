package training

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
)

// Files of a model folder.
const (
	ConfigFile  = "config.json"
	WeightsFile = "model.safetensors"
)

// maxWeights bounds the size of a weights file.
const maxWeights = 4 << 30

// Description is the file config.json of a model folder: everything about a model but its numbers.
type Description struct {
	Format  string       `json:"format"`  // "fedlam-model"
	Version int          `json:"version"` // 1
	Model   *dpa2.Config `json:"model"`   // architecture, with the keys of a DeePMD-kit input
	Heads   []HeadInfo   `json:"heads"`
}

// HeadInfo describes one head.
type HeadInfo struct {
	Key        string              `json:"key"` // "" for the single head of a model without keys
	Name       string              `json:"name,omitempty"`
	Convention *dataset.Convention `json:"convention,omitempty"`
}

// A Model is a trunk with its heads, as read from disk.
type Model struct {
	Description
	Params *weights.Set
}

// ErrWhichHead is wrapped by Model.Head when the key names no head; the text lists those there are.
var ErrWhichHead = errors.New("which head?")

// ErrDamaged is wrapped by errors about a file of a model folder that can be read but makes no sense.
var ErrDamaged = errors.New("the file is damaged or cut off; fetch it again, or take an older checkpoint")

func damaged(path string, err error) error {
	return fmt.Errorf("%s: %w: %w", filepath.Base(path), ErrDamaged, err)
}

// OpenModel reads a model folder, a folder of checkpoints (the newest is taken), or a DeePMD-neutral file in YAML or
// JSON syntax.
func OpenModel(path string) (*Model, error) {
	path = standing(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("open model: %w", err)
	}
	if !info.IsDir() {
		m, err := openTree(path)
		if err != nil {
			return nil, fmt.Errorf("open model %q: %w", path, err)
		}
		return m, nil
	}
	if latest, err := LatestCheckpoint(path); err != nil {
		return nil, err
	} else if latest != "" {
		path = latest
	}
	m, err := openFolder(path)
	if err != nil {
		return nil, fmt.Errorf("open model %q: %w", path, err)
	}
	return m, nil
}

func openTree(path string) (*Model, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".yaml", ".yml", ".json":
	default:
		return nil, fmt.Errorf("files ending in %q are not read; give a folder with %s, or a .yaml that \"dp convert-backend\" wrote", ext, ConfigFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	tree, err := weights.ReadYAML(f)
	if err != nil {
		return nil, err
	}
	single, err := dpa2.FromTree(tree)
	if err != nil {
		return nil, fmt.Errorf("%w; if the file was cut off, fetch it again", err)
	}
	return &Model{Description: describe(single.Config, HeadInfo{}), Params: single.Params}, nil
}

func describe(cfg *dpa2.Config, heads ...HeadInfo) Description {
	return Description{Format: "fedlam-model", Version: 1, Model: cfg, Heads: heads}
}

func openFolder(path string) (*Model, error) {
	path = standing(path)
	text, err := readSmall(filepath.Join(path, ConfigFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; a model folder holds %s and %s, as train and pull write them", err, ConfigFile, WeightsFile)
	}
	if err != nil {
		return nil, err
	}
	m := &Model{}
	if err := json.Unmarshal(text, &m.Description); err != nil {
		return nil, damaged(ConfigFile, err)
	}
	if m.Format != "fedlam-model" || m.Version != 1 || m.Model == nil || len(m.Heads) == 0 {
		return nil, fmt.Errorf("%s: want format \"fedlam-model\", version 1, a model and its heads; got format %.40q, version %d", ConfigFile, m.Format, m.Version)
	}
	if m.Params, err = readWeights(filepath.Join(path, WeightsFile)); err != nil {
		return nil, err
	}
	for _, h := range m.Heads {
		single := &dpa2.Model{Config: m.Model, Params: m.Params, Head: h.Key}
		if err := single.Check(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func readWeights(path string) (*weights.Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	set, _, err := weights.ReadSafetensors(f, maxWeights)
	if err != nil {
		return nil, damaged(path, err)
	}
	return set, nil
}

// readSmall reads a text file of at most 16 MiB.
func readSmall(path string) ([]byte, error) {
	const limit = 16 << 20
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && len(text) > limit {
		err = fmt.Errorf("%s is larger than %d MiB", path, limit>>20)
	}
	return text, err
}

// Head returns the model of one head: that whose key or name is given, or the only one when word is empty.
func (m *Model) Head(word string) (*dpa2.Model, error) {
	if word == "" && len(m.Heads) == 1 {
		return m.single(m.Heads[0].Key), nil
	}
	k := slices.IndexFunc(m.Heads, func(h HeadInfo) bool { return word != "" && (h.Key == word || h.Name == word) })
	if k >= 0 {
		return m.single(m.Heads[k].Key), nil
	}
	var list []string
	for _, h := range m.Heads {
		list = append(list, strings.TrimSpace(h.Key+" "+h.Name))
	}
	if word == "" {
		return nil, fmt.Errorf("%w this model has %d: %s; choose one with --head", ErrWhichHead, len(list), strings.Join(list, ", "))
	}
	return nil, fmt.Errorf("%w %q is not one of this model's: %s", ErrWhichHead, word, strings.Join(list, ", "))
}

func (m *Model) single(key string) *dpa2.Model {
	return &dpa2.Model{Config: m.Model, Params: m.Params, Head: key}
}

// files encodes a model folder.
func (m *Model) files(dtype weights.Dtype) (map[string][]byte, error) {
	var data bytes.Buffer
	if err := weights.WriteSafetensors(&data, m.Params, dtype, map[string]string{"format": "fedlam"}); err != nil {
		return nil, err
	}
	config, err := json.MarshalIndent(&m.Description, "", " ")
	if err != nil {
		return nil, err
	}
	return map[string][]byte{ConfigFile: append(config, '\n'), WeightsFile: data.Bytes()}, nil
}

// Write makes a model folder, completely or not at all.
func (m *Model) Write(path string, dtype weights.Dtype) error {
	files, err := m.files(dtype)
	if err == nil {
		err = writeFolder(path, files)
	}
	if err != nil {
		return fmt.Errorf("write model %q: %w", path, err)
	}
	return nil
}
