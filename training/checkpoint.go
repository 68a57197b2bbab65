package training

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"

	"github.com/fedlam/fedlam/training/optim"
	"github.com/fedlam/fedlam/training/weights"
)

// Files that a checkpoint has beside those of a model folder.
const (
	optimizerFile = "optimizer.safetensors"
	stateFile     = "state.json"
)

// trainState is the file state.json: all that a resumed training needs besides numbers.
type trainState struct {
	Version   int            `json:"version"` // 1
	Step      int            `json:"step"`
	Steps     int            `json:"steps"`
	Seed      uint64         `json:"seed"`
	Sampler   samplerState   `json:"sampler"`
	Optimizer map[string]int `json:"optimizer_steps"` // steps that each tensor took
	Last      []lastErrors   `json:"last_errors"`     // of each head's last training batch
}

// lastErrors are Errors whose missing values are null, since JSON has no NaN.
type lastErrors [4]*float64

func packErrors(e Errors) (out lastErrors) {
	for k, v := range [4]float64{e.Total, e.Energy, e.Force, e.Virial} {
		if !math.IsNaN(v) {
			out[k] = &v
		}
	}
	return out
}

func (l lastErrors) unpack() Errors {
	v := [4]float64{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	for k, p := range l {
		if p != nil {
			v[k] = *p
		}
	}
	return Errors{v[0], v[1], v[2], v[3]}
}

// Model returns the trainer's model with a copy of its weights.
func (t *Trainer) Model() *Model {
	var heads []HeadInfo
	for _, h := range t.heads {
		heads = append(heads, HeadInfo{h.Key, h.Name, h.Convention})
	}
	return &Model{Description: describe(t.cfg.Model, heads...), Params: t.Weights()}
}

// Save writes a checkpoint folder, completely or not at all: a model folder in F64, and what Resume needs.
func (t *Trainer) Save(path string) error {
	files, err := t.checkpoint()
	if err == nil {
		err = writeFolder(path, files)
	}
	if err != nil {
		return fmt.Errorf("save checkpoint %q: %w", path, err)
	}
	return nil
}

// SaveNumbered saves dir/prefix-<step>, lets the file dir/checkpoint point to it, and removes older ones so that keep are
// left (0 keeps all). It returns the folder.
func (t *Trainer) SaveNumbered(dir, prefix string, keep int) (string, error) {
	name := fmt.Sprintf("%s-%d", prefix, t.step)
	path := filepath.Join(dir, name)
	if err := t.Save(path); err != nil {
		return "", err
	}
	if err := writeFile(filepath.Join(dir, pointerFile), []byte(name+"\n")); err != nil {
		return "", fmt.Errorf("save checkpoint %q: %w", path, err)
	}
	if err := pruneCheckpoints(dir, prefix, keep); err != nil {
		return "", fmt.Errorf("remove old checkpoints: %w", err)
	}
	return path, nil
}

func (t *Trainer) checkpoint() (map[string][]byte, error) {
	if err := t.settle(); err != nil {
		return nil, err
	}
	files, err := t.Model().files(weights.F64)
	if err != nil {
		return nil, err
	}
	s := trainState{Version: 1, Step: t.step, Steps: t.cfg.Steps, Seed: t.cfg.Seed, Optimizer: map[string]int{}}
	if s.Sampler, err = t.sampler.state(); err != nil {
		return nil, err
	}
	for k, h := range t.heads {
		if err := t.lastErrors(k); err != nil {
			return nil, err
		}
		s.Last = append(s.Last, packErrors(h.last))
	}
	state, err := t.moments()
	if err != nil {
		return nil, err
	}
	moments := &weights.Set{}
	for name, m := range state {
		s.Optimizer[name] = m.Step
		moments.Put(weights.Tensor{Name: name + "/m1", Shape: []int{len(m.M1)}, Data: m.M1})
		moments.Put(weights.Tensor{Name: name + "/m2", Shape: []int{len(m.M2)}, Data: m.M2})
	}
	var data bytes.Buffer
	if err := weights.WriteSafetensors(&data, moments, weights.F64, nil); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return nil, err
	}
	files[optimizerFile], files[stateFile] = data.Bytes(), append(text, '\n')
	return files, nil
}

// Resume continues from a checkpoint folder. Configuration and data must be those of the interrupted training; the number
// of steps may be larger, which changes the schedule. From there on every bit is as without the interruption.
func (t *Trainer) Resume(path string) error {
	if err := t.resume(path); err != nil {
		return fmt.Errorf("resume from %q: %w", path, err)
	}
	return nil
}

func (t *Trainer) resume(path string) error {
	path = standing(path)
	m, err := openFolder(path)
	if err != nil {
		return err
	}
	if err := t.sameModel(m); err != nil {
		return err
	}
	text, err := readSmall(filepath.Join(path, stateFile))
	if err != nil {
		return err
	}
	var s trainState
	if err := json.Unmarshal(text, &s); err != nil {
		return damaged(stateFile, err)
	}
	if s.Version != 1 || s.Step < 0 || len(s.Last) != len(t.heads) {
		return fmt.Errorf("%s: want version 1 with %d heads; got version %d with %d", stateFile, len(t.heads), s.Version, len(s.Last))
	}
	if s.Seed != t.cfg.Seed {
		return fmt.Errorf("the seed was %d and is %d now; set it back, or start a new training", s.Seed, t.cfg.Seed)
	}
	moments, err := readMoments(filepath.Join(path, optimizerFile), s.Optimizer, t.params)
	if err != nil {
		return err
	}
	if err := t.sampler.restore(s.Sampler); err != nil {
		return fmt.Errorf("the data are not those of the interrupted training: %w", err)
	}
	if err := t.SetWeights(m.Params); err != nil {
		return err
	}
	if err := t.setMoments(moments); err != nil {
		return err
	}
	for k, h := range t.heads {
		h.last, h.kept = s.Last[k].unpack(), false
	}
	t.step = s.Step
	return nil
}

// sameModel refuses a checkpoint of another architecture or other heads.
func (t *Trainer) sameModel(m *Model) error {
	mine, err := json.Marshal(t.cfg.Model)
	if err != nil {
		return err
	}
	theirs, err := json.Marshal(m.Model)
	if err != nil {
		return err
	}
	if !bytes.Equal(mine, theirs) {
		return fmt.Errorf("the model section has changed since the checkpoint; start a new training, or restore it from %s there", ConfigFile)
	}
	if len(m.Heads) != len(t.heads) {
		return fmt.Errorf("the checkpoint has %d heads, the configuration %d", len(m.Heads), len(t.heads))
	}
	for k, h := range t.heads {
		if m.Heads[k].Key != h.Key {
			return fmt.Errorf("head %d is %q in the checkpoint and %q in the configuration", k, m.Heads[k].Key, h.Key)
		}
	}
	return nil
}

func readMoments(path string, steps map[string]int, params *weights.Set) (map[string]optim.Moments, error) {
	set, err := readWeights(path)
	if err != nil {
		return nil, err
	}
	out := map[string]optim.Moments{}
	for name, n := range steps {
		p, known := params.Get(name)
		m1, ok1 := set.Get(name + "/m1")
		m2, ok2 := set.Get(name + "/m2")
		if !known || !ok1 || !ok2 || len(m1.Data) != len(p.Data) || len(m2.Data) != len(p.Data) {
			return nil, fmt.Errorf("%s: the moments of %q are missing or do not fit", optimizerFile, name)
		}
		out[name] = optim.Moments{Step: n, M1: m1.Data, M2: m2.Data}
	}
	return out, nil
}
