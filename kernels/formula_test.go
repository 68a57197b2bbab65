package kernels_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// TestFusedEqualsSteps evaluates random formulas by compiled code and step by step, on every instruction set. They must
// agree to the last bit, also beside the ends of memory, and with results in place of operands.
func TestFusedEqualsSteps(t *testing.T) {
	for _, name := range kernels.PathNames() {
		t.Run(name, func(t *testing.T) {
			defer kernels.UsePath(name)()
			t.Run("float32", fusedEqualsSteps[float32])
			t.Run("float64", fusedEqualsSteps[float64])
		})
	}
}

func fusedEqualsSteps[F kernels.Float](t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	compiled := 0
	for trial := range 400 {
		f := randomFormula(rng, 1+rng.IntN(6), 1+rng.IntN(20))
		fast := kernels.Fuse[F]([]*kernels.Formula{f})[0]
		restore := kernels.Interpret()
		slow := kernels.Fuse[F]([]*kernels.Formula{f})[0]
		restore()
		if slow.Compiled() {
			t.Fatal("compiled although that is off")
		}
		if fast.Compiled() {
			compiled++
		}
		n := []int{1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 257}[rng.IntN(13)]
		want := evalGuarded(t, slow, f, rand.New(rand.NewPCG(uint64(trial), 1)), n, nil)
		got := evalGuarded(t, fast, f, rand.New(rand.NewPCG(uint64(trial), 1)), n, nil)
		compare(t, fmt.Sprintf("trial %d, %d numbers, %+v", trial, n, f.Code), got, want)
		if over := inPlace(f); over != nil {
			got = evalGuarded(t, fast, f, rand.New(rand.NewPCG(uint64(trial), 1)), n, over)
			compare(t, fmt.Sprintf("trial %d in place %v, %d numbers, %+v", trial, over, n, f.Code), got, want)
		}
	}
	t.Logf("%d of 400 formulas compiled", compiled)
	if least := map[string]int{"avx512": 300, "avx2": 200}[kernels.Path()]; kernels.Compiles() && compiled < least {
		t.Errorf("only %d of 400 formulas were compiled, want %d", compiled, least)
	}
}

// randomFormula returns a formula with a result for its last instruction and for some others.
func randomFormula(rng *rand.Rand, inputs, length int) *kernels.Formula {
	f := &kernels.Formula{Inputs: inputs, Registers: inputs}
	reg := func() int { return rng.IntN(f.Registers) }
	for i := range length {
		in := kernels.Instr{
			Op: kernels.Op(rng.IntN(kernels.NumOps)), A: reg(), B: reg(), C: reg(),
			S: rng.NormFloat64(), T: 3 + rng.Float64(), N: rng.IntN(4),
		}
		if rng.IntN(8) > 0 && (in.Op == kernels.OpSoftplus || in.Op == kernels.OpSwitch || in.Op == kernels.OpStep) {
			in.Op = kernels.OpMulAdd // those that are not compiled, not too often
		}
		if f.Registers > inputs && rng.IntN(2) == 0 && !slices.Contains(f.Stored, f.Registers-1) {
			in.Dst = inputs + rng.IntN(f.Registers-inputs)
		} else {
			in.Dst = f.Registers
			f.Registers++
		}
		f.Code = append(f.Code, in)
		if (i == length-1 || rng.IntN(5) == 0) && !slices.Contains(f.Stored, in.Dst) {
			f.Stored = append(f.Stored, in.Dst)
		}
	}
	return f
}

// inPlace returns, by result, an operand whose memory it may have: one that no instruction reads after it is set.
func inPlace(f *kernels.Formula) map[int]int {
	over := map[int]int{}
	for _, s := range f.Stored {
		first := slices.IndexFunc(f.Code, func(in kernels.Instr) bool { return in.Dst == s })
		for r := range f.Inputs {
			read := slices.ContainsFunc(f.Code[first+1:], func(in kernels.Instr) bool { return in.A == r || in.B == r || in.C == r })
			taken := false
			for _, other := range over {
				taken = taken || other == r
			}
			if !read && !taken {
				over[s] = r
				break
			}
		}
	}
	if len(over) == 0 {
		return nil
	}
	return over
}

// evalGuarded evaluates on memory that lies between guards, and returns the results in their order. over gives results the
// memory of operands.
func evalGuarded[F kernels.Float](t *testing.T, f *kernels.Fused[F], formula *kernels.Formula, rng *rand.Rand, n int, over map[int]int) [][]F {
	t.Helper()
	const guard = 64
	all := make([][]F, formula.Registers)
	memory := make([][]F, formula.Registers)
	for r := range memory {
		x := make([]F, n+2*guard)
		for i := range x {
			x[i] = F(rng.NormFloat64())
		}
		if r < formula.Inputs && n > 2 && r%3 == 0 {
			x[guard+n/2] = F(math.NaN())
			x[guard+n-1] = F(math.Inf(1))
		}
		if f.InMemory(r) {
			all[r], memory[r] = x, x[guard:guard+n:guard+n]
		}
	}
	for s, r := range over {
		memory[s] = memory[r]
	}
	before := make([][]F, len(all))
	for r := range all {
		before[r] = slices.Clone(all[r])
	}
	f.Eval(memory, n)
	for r, x := range all {
		for i := range x {
			if (i < guard || i >= guard+n) && x[i] != before[r][i] {
				t.Fatalf("register %d: wrote beyond its memory, at %d of %d", r, i-guard, n)
			}
		}
	}
	var results [][]F
	for _, s := range formula.Stored {
		results = append(results, memory[s])
	}
	return results
}

func compare[F kernels.Float](t *testing.T, what string, got, want [][]F) {
	t.Helper()
	for s := range want {
		for i := range want[s] {
			g, w := float64(got[s][i]), float64(want[s][i])
			if math.Float64bits(g) != math.Float64bits(w) && !(math.IsNaN(g) && math.IsNaN(w)) {
				t.Fatalf("%s: result %d, number %d: got %g, want %g", what, s, i, g, w)
			}
		}
	}
}
