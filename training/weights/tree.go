package weights

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Kind says which of a Tree's fields is in use.
type Kind int

// The kinds of Tree. An Array is what DeePMD-kit writes for an array of numbers.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Map
	ArrayKind
)

func (k Kind) String() string {
	return [...]string{"null", "true or false", "an integer", "a number", "text", "a list", "a map", "an array"}[k]
}

// A Tree is one node of a model file. Which fields are set depends on Kind.
type Tree struct {
	Kind   Kind
	Bool   bool
	Int    int64
	Float  float64
	Text   string  // String
	Items  []*Tree // List
	Fields []Field // Map, in the order of the file; keys are unique
	Array  *Array  // ArrayKind
}

// A Field is one entry of a map.
type Field struct {
	Key   string
	Value *Tree
}

// An Array is a leaf with numbers. Dtype is numpy's name of the stored type; Data holds the values whatever it is.
type Array struct {
	Dtype string // one of dtypes
	Shape []int
	Data  []float64
}

// dtypes are the types of array elements that are understood.
var dtypes = []string{"float64", "float32", "int64", "int32"}

// NewNull returns an empty value.
func NewNull() *Tree { return &Tree{} }

// NewBool returns a truth value.
func NewBool(v bool) *Tree { return &Tree{Kind: Bool, Bool: v} }

// NewInt returns an integer.
func NewInt(v int) *Tree { return &Tree{Kind: Int, Int: int64(v)} }

// NewFloat returns a number.
func NewFloat(v float64) *Tree { return &Tree{Kind: Float, Float: v} }

// NewString returns a text.
func NewString(v string) *Tree { return &Tree{Kind: String, Text: v} }

// NewList returns a list of the items.
func NewList(items ...*Tree) *Tree { return &Tree{Kind: List, Items: items} }

// NewMap returns a map of the fields in the given order.
func NewMap(fields ...Field) *Tree { return &Tree{Kind: Map, Fields: fields} }

// NewArray returns an array leaf of dtype float64 that keeps shape and data.
func NewArray(shape []int, data []float64) *Tree {
	if n, err := count(shape); err != nil || n != len(data) {
		panic(fmt.Sprintf("weights: array of shape %v with %d numbers", shape, len(data)))
	}
	return &Tree{Kind: ArrayKind, Array: &Array{Dtype: "float64", Shape: shape, Data: data}}
}

// Get returns the value of a key, nil where t is nil, no map, or without that key. Calls can therefore be chained.
func (t *Tree) Get(key string) *Tree {
	if t == nil || t.Kind != Map {
		return nil
	}
	for _, f := range t.Fields {
		if f.Key == key {
			return f.Value
		}
	}
	return nil
}

// Set puts a value under a key of a map, at the end where the key is new.
func (t *Tree) Set(key string, value *Tree) {
	if t.Kind != Map {
		panic("weights: Set on a tree node that is " + t.Kind.String())
	}
	for k := range t.Fields {
		if t.Fields[k].Key == key {
			t.Fields[k].Value = value
			return
		}
	}
	t.Fields = append(t.Fields, Field{key, value})
}

// Path follows keys, and list positions in decimal, separated by "/". It returns nil where the path ends early.
func (t *Tree) Path(path string) *Tree {
	for key := range strings.SplitSeq(path, "/") {
		if t != nil && t.Kind == List {
			k, err := strconv.Atoi(key)
			if err != nil || k < 0 || k >= len(t.Items) {
				return nil
			}
			t = t.Items[k]
			continue
		}
		t = t.Get(key)
	}
	return t
}

// Arrays calls visit for every array below t with its path, in the order of the file, until visit returns an error.
func (t *Tree) Arrays(visit func(path string, a *Array) error) error { return t.walk("", visit) }

func (t *Tree) walk(path string, visit func(string, *Array) error) error {
	join := func(key string) string {
		if path == "" {
			return key
		}
		return path + "/" + key
	}
	switch {
	case t == nil:
	case t.Kind == ArrayKind:
		return visit(path, t.Array)
	case t.Kind == Map:
		for _, f := range t.Fields {
			if err := f.Value.walk(join(f.Key), visit); err != nil {
				return err
			}
		}
	case t.Kind == List:
		for k, item := range t.Items {
			if err := item.walk(join(strconv.Itoa(k)), visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// Weights copies the arrays below t into a Set, named by their paths from t. Non-finite numbers are refused.
func (t *Tree) Weights() (*Set, error) {
	s := &Set{}
	err := t.Arrays(func(path string, a *Array) error {
		if _, twice := s.Get(path); twice {
			return fmt.Errorf("two arrays at %q", path)
		}
		s.Put(Tensor{Name: path, Shape: slices.Clone(a.Shape), Data: slices.Clone(a.Data)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s, s.Finite()
}

// Equal compares two trees. The order of keys does not count; numbers are compared by their bits, so that a
// NaN equals itself and 0 differs from -0.
func Equal(a, b *Tree) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind {
		return false
	}
	switch a.Kind {
	case Bool:
		return a.Bool == b.Bool
	case Int:
		return a.Int == b.Int
	case Float:
		return sameBits(a.Float, b.Float)
	case String:
		return a.Text == b.Text
	case List:
		return slices.EqualFunc(a.Items, b.Items, Equal)
	case ArrayKind:
		return a.Array.Dtype == b.Array.Dtype && slices.Equal(a.Array.Shape, b.Array.Shape) && slices.EqualFunc(a.Array.Data, b.Array.Data, sameBits)
	case Map:
		if len(a.Fields) != len(b.Fields) {
			return false
		}
		for _, f := range a.Fields {
			if other := b.Get(f.Key); other == nil || !Equal(f.Value, other) {
				return false
			}
		}
	}
	return true
}

func sameBits(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || math.IsNaN(a) && math.IsNaN(b)
}
