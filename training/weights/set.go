package weights

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// A Tensor is a named array in row-major order. The product of Shape is the length of Data; an empty Shape is one number.
type Tensor struct {
	Name  string
	Shape []int
	Data  []float64
}

// Clone returns a copy that shares nothing with t.
func (t *Tensor) Clone() Tensor {
	return Tensor{Name: t.Name, Shape: slices.Clone(t.Shape), Data: slices.Clone(t.Data)}
}

// A Set holds tensors by name, in ascending order of the names. The zero value is an empty set.
// It may be read by several goroutines at once as long as none writes.
type Set struct {
	tensors []*Tensor
}

// Get returns the tensor called name. The caller may change its data in place, but neither name nor shape.
func (s *Set) Get(name string) (*Tensor, bool) {
	k, ok := s.find(name)
	if !ok {
		return nil, false
	}
	return s.tensors[k], true
}

// Put adds t or replaces the tensor of the same name. The set keeps the slices of t; they must not be resized.
// A shape that does not fit the data is a mistake of the program and panics.
func (s *Set) Put(t Tensor) {
	if n, err := count(t.Shape); err != nil || n != len(t.Data) {
		panic(fmt.Sprintf("weights: tensor %q of shape %v with %d numbers", t.Name, t.Shape, len(t.Data)))
	}
	k, ok := s.find(t.Name)
	if ok {
		s.tensors[k] = &t
		return
	}
	s.tensors = slices.Insert(s.tensors, k, &t)
}

// Delete removes the tensor called name, if there is one.
func (s *Set) Delete(name string) {
	if k, ok := s.find(name); ok {
		s.tensors = slices.Delete(s.tensors, k, k+1)
	}
}

// Names returns the names in ascending order.
func (s *Set) Names() []string {
	names := make([]string, len(s.tensors))
	for k, t := range s.tensors {
		names[k] = t.Name
	}
	return names
}

// Tensors returns the tensors in ascending order of their names. The slice is the caller's, the tensors are shared.
func (s *Set) Tensors() []*Tensor { return slices.Clone(s.tensors) }

// Clone returns a copy that shares nothing with s.
func (s *Set) Clone() *Set {
	c := &Set{tensors: make([]*Tensor, len(s.tensors))}
	for k, t := range s.tensors {
		copied := t.Clone()
		c.tensors[k] = &copied
	}
	return c
}

// Len returns the number of numbers in all tensors together.
func (s *Set) Len() int {
	n := 0
	for _, t := range s.tensors {
		n += len(t.Data)
	}
	return n
}

// SameShapes says whether two sets have the same names and shapes; the error names the first difference.
func (s *Set) SameShapes(other *Set) error {
	for _, t := range s.tensors {
		o, ok := other.Get(t.Name)
		if !ok {
			return fmt.Errorf("tensor %q is missing", t.Name)
		}
		if !slices.Equal(t.Shape, o.Shape) {
			return fmt.Errorf("tensor %q has shape %v, want %v", t.Name, o.Shape, t.Shape)
		}
	}
	for _, o := range other.tensors {
		if _, ok := s.Get(o.Name); !ok {
			return fmt.Errorf("tensor %q is not part of the model", o.Name)
		}
	}
	return nil
}

// Finite returns an error that names the first tensor with a NaN or infinite entry.
func (s *Set) Finite() error {
	for _, t := range s.tensors {
		for k, v := range t.Data {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("tensor %q: entry %d is NaN or infinite", t.Name, k)
			}
		}
	}
	return nil
}

func (s *Set) find(name string) (int, bool) {
	return sort.Find(len(s.tensors), func(k int) int {
		switch n := s.tensors[k].Name; {
		case name < n:
			return -1
		case name > n:
			return 1
		}
		return 0
	})
}

// count multiplies a shape, refusing negative sizes and products beyond 2^40.
func count(shape []int) (int, error) {
	n, empty := 1, false
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Errorf("shape %v has a negative size", shape)
		case d == 0:
			empty = true
		case n > (1<<40)/d:
			return 0, fmt.Errorf("shape %v is too large", shape)
		default:
			n *= d
		}
	}
	if empty {
		return 0, nil
	}
	return n, nil
}
