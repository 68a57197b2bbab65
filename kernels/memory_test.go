package kernels_test

import (
	"testing"

	"github.com/fedlam/fedlam/kernels"
)

// TestAllocIsUsableAtAnySize allocates around the size of a large page and the sizes at which its ends are not aligned.
func TestAllocIsUsableAtAnySize(t *testing.T) {
	for _, n := range []int{0, 1, 1<<19 - 1, 1 << 19, 1<<19 + 3, 3<<19 + 1025} {
		x := kernels.Alloc[float32](n)
		if len(x) != n {
			t.Fatalf("got %d numbers, want %d", len(x), n)
		}
		for i := range x {
			if x[i] != 0 {
				t.Fatalf("number %d of %d is %g, want 0", i, n, x[i])
			}
			x[i] = float32(i)
		}
		for i := range x {
			if x[i] != float32(i) {
				t.Fatalf("number %d of %d is %g after a write", i, n, x[i])
			}
		}
	}
}
