package dpa2

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Sel is the number of neighbours an atom can have in a block ("nsel"). It is part of the model: sums are divided
// by it. In an input it may be "auto" or "auto:1.1": then Auto is the factor, and Resolve turns the largest count
// found in the data into a number.
type Sel struct {
	Count int
	Auto  float64 // 0 when Count is given
}

// Resolve sets Count to found·Auto rounded down, then up to a multiple of 4. A Sel that was given stays.
func (s *Sel) Resolve(found int) {
	if s.Auto == 0 {
		return
	}
	n := int(float64(found) * s.Auto)
	*s = Sel{Count: max(4, (n+3)/4*4)}
}

// MarshalJSON writes a number, or "auto:<factor>".
func (s Sel) MarshalJSON() ([]byte, error) {
	if s.Auto != 0 {
		return json.Marshal("auto:" + strconv.FormatFloat(s.Auto, 'g', -1, 64))
	}
	return json.Marshal(s.Count)
}

// UnmarshalJSON reads a number, "auto" or "auto:<factor>". A list of one number is read too.
func (s *Sel) UnmarshalJSON(data []byte) error {
	var n int
	if json.Unmarshal(data, &n) == nil {
		*s = Sel{Count: n}
		return nil
	}
	var list []int
	if json.Unmarshal(data, &list) == nil && len(list) == 1 {
		*s = Sel{Count: list[0]}
		return nil
	}
	var word string
	if err := json.Unmarshal(data, &word); err != nil {
		return fmt.Errorf("nsel is %s; want a whole number, \"auto\" or \"auto:1.1\"", data)
	}
	name, factor, found := strings.Cut(word, ":")
	s.Count, s.Auto = 0, 1.1
	if found {
		f, err := strconv.ParseFloat(factor, 64)
		if err != nil || !(f >= 1) || math.IsInf(f, 0) {
			return fmt.Errorf("nsel is %q; the factor after \"auto:\" must be a number of at least 1", word)
		}
		s.Auto = f
	}
	if name != "auto" {
		return fmt.Errorf("nsel is %q; want a whole number, \"auto\" or \"auto:1.1\"", word)
	}
	return nil
}

// Trainable is "trainable" of the fitting net: one answer for all layers, or one per layer and one for the output.
type Trainable struct {
	All    bool
	Layers []bool // nil, or hidden layers + 1
}

// Layer says whether layer i (the output layer is the last) is trained.
func (t Trainable) Layer(i int) bool {
	if t.Layers == nil {
		return t.All
	}
	return i < len(t.Layers) && t.Layers[i]
}

// MarshalJSON writes a bool or a list of them.
func (t Trainable) MarshalJSON() ([]byte, error) {
	if t.Layers == nil {
		return json.Marshal(t.All)
	}
	return json.Marshal(t.Layers)
}

// UnmarshalJSON reads a bool or a list of them.
func (t *Trainable) UnmarshalJSON(data []byte) error {
	*t = Trainable{}
	if json.Unmarshal(data, &t.All) == nil {
		return nil
	}
	if err := json.Unmarshal(data, &t.Layers); err != nil {
		return fmt.Errorf("trainable is %s; want true, false or a list of them", data)
	}
	if t.Layers == nil {
		t.All = true
	}
	return nil
}

// Precision is the arithmetic of a program.
type Precision string

// The precisions a program can have. Positions, energies of frames and references are float64 in both.
const (
	Float64 Precision = "float64"
	Float32 Precision = "float32"
)

// Precision returns what the descriptor asks for.
func (c *Config) Precision() Precision {
	if strings.EqualFold(c.Descriptor.Precision, "float32") {
		return Float32
	}
	return Float64
}
