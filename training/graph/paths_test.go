package graph

import (
	"testing"

	"github.com/fedlam/fedlam/kernels/kerneltest"
)

// TestEachPath repeats the tests of values and of threads with every instruction set.
func TestEachPath(t *testing.T) {
	kerneltest.EachPath(t, "TestValues", "TestRandomPrograms", "TestThreads")
}
