package kernels_test

import (
	"testing"

	"github.com/fedlam/fedlam/kernels/kerneltest"
)

func TestContract(t *testing.T) {
	t.Run("float64", func(t *testing.T) { kerneltest.Run(t, kerneltest.Host[float64]()) })
	t.Run("float32", func(t *testing.T) { kerneltest.Run(t, kerneltest.Host[float32]()) })
}
