package dpa2

import (
	"testing"

	"github.com/fedlam/fedlam/kernels/kerneltest"
)

// TestEachPath holds every instruction set to the numbers of DeePMD-kit, and its float32 to its float64.
func TestEachPath(t *testing.T) {
	kerneltest.EachPath(t, "TestGoldenOutputs", "TestGoldenIntermediates", "TestGoldenGradient", "TestGoldenLossVariants",
		"TestFullSizeWater", "TestFloat32Forces")
}
