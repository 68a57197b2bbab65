package training

import (
	"testing"

	"github.com/fedlam/fedlam/kernels/kerneltest"
)

// TestEachPath holds every instruction set to whole training runs of DeePMD-kit.
func TestEachPath(t *testing.T) { kerneltest.EachPath(t, "TestGoldenTraining") }
