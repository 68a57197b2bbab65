package kernels_test

import (
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/kerneltest"
)

// TestContract runs the contract on every instruction set that the processor has.
func TestContract(t *testing.T) {
	for _, name := range kernels.PathNames() {
		t.Run(name, func(t *testing.T) {
			defer kernels.UsePath(name)()
			if kernels.Path() != name {
				t.Fatalf("Path() = %q, want %q", kernels.Path(), name)
			}
			t.Run("float64", func(t *testing.T) { kerneltest.Run(t, kerneltest.Host[float64]()) })
			t.Run("float32", func(t *testing.T) { kerneltest.Run(t, kerneltest.Host[float32]()) })
		})
	}
}
