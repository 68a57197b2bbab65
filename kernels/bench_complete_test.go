package kernels_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// noKernels are exported functions that do no arithmetic and move no numbers.
var noKernels = []string{"Path", "Compiles", "NewRowMap", "Alloc", "PairDotScratch", "SwitchPolynomial"}

// TestEveryKernelHasABenchmark compares the exported functions of the package with the benchmarks' tables.
func TestEveryKernelHasABenchmark(t *testing.T) {
	exported := exportedFunctions(t)
	for name, tables := range map[string][][]task{
		"float32": {products[float32](), segments[float32](), elementwise[float32](), rowTasks[float32](), pairs[float32](), formulas[float32]()},
		"float64": {products[float64](), segments[float64](), elementwise[float64](), rowTasks[float64](), pairs[float64](), formulas[float64]()},
	} {
		measured := slices.Clone(noKernels)
		for _, task := range slices.Concat(tables...) {
			measured = append(measured, task.kernel)
			if task.amount <= 0 {
				t.Errorf("%s: the benchmark of %s at %s counts no work", name, task.kernel, task.size)
			}
		}
		for _, kernel := range exported {
			if !slices.Contains(measured, kernel) {
				t.Errorf("%s: %s has no benchmark; add a task to a bench_*_test.go", name, kernel)
			}
		}
		for _, kernel := range measured {
			if !slices.Contains(exported, kernel) {
				t.Errorf("%s: the package has no function %s; name tasks as their function", name, kernel)
			}
		}
	}
}

func exportedFunctions(t *testing.T) []string {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.IsExported() {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names
}
