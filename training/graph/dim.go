package graph

import (
	"fmt"
	"strconv"
)

// A Dim is a number of rows: Mul times the size that the axis has at run time, or just Mul where Axis is empty.
// Dims are comparable; two tensors have the same number of rows exactly if their Dims are equal.
type Dim struct {
	Axis string
	Mul  int
}

// Fixed returns the Dim of n rows, known when the graph is built.
func Fixed(n int) Dim {
	if n < 0 {
		panic(fmt.Sprintf("graph: Fixed(%d): a number of rows cannot be negative", n))
	}
	return Dim{Mul: n}
}

// Axis returns the Dim of as many rows as the axis has at run time.
func Axis(name string) Dim {
	if name == "" {
		panic("graph: Axis(\"\"): an axis needs a name; use Fixed for a constant number of rows")
	}
	return Dim{Axis: name, Mul: 1}
}

// Times returns the Dim of k times as many rows.
func (d Dim) Times(k int) Dim {
	if k < 0 {
		panic(fmt.Sprintf("graph: %v.Times(%d): a number of rows cannot be negative", d, k))
	}
	return Dim{Axis: d.Axis, Mul: d.Mul * k}
}

// String returns the Dim as in messages: "atom", "4*atom" or "12".
func (d Dim) String() string {
	switch {
	case d.Axis == "":
		return strconv.Itoa(d.Mul)
	case d.Mul == 1:
		return d.Axis
	}
	return strconv.Itoa(d.Mul) + "*" + d.Axis
}

// size returns the number of rows at run time.
func (d Dim) size(axes map[string]int) int {
	if d.Axis == "" {
		return d.Mul
	}
	return d.Mul * axes[d.Axis]
}
