package graph_test

import (
	"fmt"

	"github.com/fedlam/fedlam/training/graph"
)

// A chain of springs: forces are the negative gradient of the energy, and the derivative of a loss on forces by the
// stiffness needs the derivative of that gradient.
func Example() {
	b := graph.New()
	atom, spring := graph.Axis("atom"), graph.Axis("spring")
	x := b.Input("x", atom, 1)
	left, right := b.Index("left", spring, atom), b.Index("right", spring, atom)
	stiffness := b.Param("stiffness", 1, 1)
	stretch := b.AddScalar(b.Sub(b.Gather(x, right), b.Gather(x, left)), -1)
	energy := b.SumAll(b.Scale(b.Mul(b.Square(stretch), stiffness), 0.5))
	force := b.Neg(b.Grad(energy, x)[0])
	loss := b.SumAll(b.Square(force))
	program, err := b.Compile(map[string]*graph.Tensor{"force": force, "slope": b.Grad(loss, stiffness)[0]})
	if err != nil {
		fmt.Println(err)
		return
	}
	exec := graph.NewExec[float64](program, 1)
	exec.Param("stiffness")[0] = 10
	err = exec.Run(&graph.Batch[float64]{
		Sizes:   map[string]int{"atom": 3, "spring": 2},
		Inputs:  map[string][]float64{"x": {0, 1.5, 2.75}},
		Indices: map[string][]int32{"left": {0, 1}, "right": {1, 2}},
	})
	fmt.Println(exec.Output("force"), exec.Output("slope"), err)
	// Output: [5 -2.5 -2.5] [7.5] <nil>
}
