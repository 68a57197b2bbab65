package founding

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/optim"
)

// Recipe is how members train locally: the key "training" of config.json.
type Recipe struct {
	Loss         dpa2.LossConfig `json:"loss"`
	LearningRate optim.Schedule  `json:"learning_rate"`
	Optimizer    optim.Config    `json:"optimizer"`
	Rounds       uint64          `json:"rounds"` // planned
	Seed         uint64          `json:"seed"`   // of the fresh weights of trunk and shared heads
	BatchSize    string          `json:"batch_size,omitempty"`
	Precision    dpa2.Precision  `json:"precision,omitempty"`
}

// ModelConfig is the file config.json: what opens a release as a model, and the recipe.
type ModelConfig struct {
	training.Description
	Training Recipe `json:"training"`
}

// Encode returns the file.
func (c *ModelConfig) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(c); err != nil {
		return nil, fmt.Errorf("write config.json: %w", err)
	}
	return b.Bytes(), nil
}

// DecodeModelConfig reads a config.json whose CID has been checked.
func DecodeModelConfig(text []byte) (*ModelConfig, error) {
	var c ModelConfig
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("read config.json: %w", err)
	}
	if c.Format != "fedlam-model" || c.Version != 1 || c.Model == nil {
		return nil, fmt.Errorf("read config.json: format %.40q version %d; this program reads fedlam-model version 1", c.Format, c.Version)
	}
	if err := errors.Join(c.Model.Validate(), c.Training.Loss.Validate()); err != nil {
		return nil, fmt.Errorf("read config.json: %w", err)
	}
	return &c, nil
}
