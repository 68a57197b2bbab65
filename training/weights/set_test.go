package weights_test

import (
	"math"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/training/weights"
)

func TestSetIsSortedAndUnique(t *testing.T) {
	var s weights.Set
	for _, name := range []string{"b", "a/b", "c", "a", "b"} {
		s.Put(weights.Tensor{Name: name, Shape: []int{2}, Data: []float64{1, 2}})
	}
	s.Delete("c")
	s.Delete("not there")
	if got, want := s.Names(), []string{"a", "a/b", "b"}; !slices.Equal(got, want) {
		t.Errorf("names %v, want %v", got, want)
	}
	if s.Len() != 6 {
		t.Errorf("%d numbers, want 6", s.Len())
	}
	if _, ok := s.Get("c"); ok {
		t.Error("deleted tensor is still there")
	}
	c := s.Clone()
	a, _ := s.Get("a")
	a.Data[0] = 7
	if b, _ := c.Get("a"); b.Data[0] != 1 {
		t.Error("a clone shares its numbers with the original")
	}
}

func TestSameShapes(t *testing.T) {
	set := func(names string, shape ...int) *weights.Set {
		s := &weights.Set{}
		for _, n := range names {
			s.Put(weights.Tensor{Name: string(n), Shape: shape, Data: make([]float64, shape[0]*shape[1])})
		}
		return s
	}
	for _, c := range []struct {
		name string
		a, b *weights.Set
		same bool
	}{
		{"equal", set("xy", 2, 3), set("yx", 2, 3), true},
		{"transposed", set("xy", 2, 3), set("xy", 3, 2), false},
		{"missing", set("xy", 2, 3), set("x", 2, 3), false},
		{"too many", set("x", 2, 3), set("xy", 2, 3), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.a.SameShapes(c.b); (err == nil) != c.same {
				t.Errorf("got %v, want the same: %v", err, c.same)
			}
		})
	}
}

func TestFiniteNamesTheTensor(t *testing.T) {
	var s weights.Set
	s.Put(weights.Tensor{Name: "good", Shape: []int{1}, Data: []float64{0}})
	if err := s.Finite(); err != nil {
		t.Error(err)
	}
	s.Put(weights.Tensor{Name: "bad", Shape: []int{2}, Data: []float64{0, math.Inf(-1)}})
	if err := s.Finite(); err == nil || err.Error() != `tensor "bad": entry 1 is NaN or infinite` {
		t.Errorf("got %v", err)
	}
}

func TestPutRefusesWrongShape(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a tensor with too few numbers was taken")
		}
	}()
	(&weights.Set{}).Put(weights.Tensor{Name: "x", Shape: []int{2, 2}, Data: make([]float64, 3)})
}
