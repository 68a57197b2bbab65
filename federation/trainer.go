package federation

import (
	"context"

	"github.com/fedlam/fedlam/training/weights"
)

// A Trainer does the local work of a member. The driver calls it, one method at a time, for the actions of the same names.
//
// Collect and Train see private data; what they return leaves the node only inside secure sums. Apply must give the same bits
// on every machine: no fused multiply-add, no order that depends on threads, no library that picks instructions by CPU.
type Trainer interface {
	// Collect returns the sums that the setup round adds up.
	Collect(ctx context.Context) (SetupSums, error)
	// Apply returns a copy of the weights with statistics and energy references from the sums over all members.
	Apply(ctx context.Context, w *weights.Set, totals SetupTotals) (*weights.Set, error)
	// Train does local steps from the given weights and returns how far it came.
	Train(ctx context.Context, w *weights.Set, steps int) (Update, error)
	// Judge returns how well weights do on the canary sets that the genesis names, by key of the shared head. Nothing in the
	// Trainer changes, whatever the weights are.
	Judge(ctx context.Context, w *weights.Set) (map[string]CanaryError, error)
	// Install takes over certified weights: those of the trunk and of shared heads. Heads that are not in it, and rows
	// of elements that too few members have, stay as the trainer has them.
	Install(ctx context.Context, w *weights.Set) error
}

// SetupSums is what a member adds to the sums of the setup round. Numbers are below 2^71 in magnitude and kept to 2^-40.
type SetupSums struct {
	Trunk    []float64            // statistics of the environment; as many numbers at every member
	Elements []bool               // which elements of the genesis occur in the member's data, in their order
	Heads    map[string][]float64 // by key of each head the member uses: normal equations; as many numbers at every member
}

// SetupTotals are the sums over the members that took part, correctly rounded.
type SetupTotals struct {
	Trunk    []float64
	Elements []uint64             // how many members have the element
	Heads    map[string][]float64 // of the shared heads that were summed
}

// Update is the outcome of local training.
type Update struct {
	// Tensors holds, by tensor name, weights before minus weights after, row-major, parameter units. A tensor that is missing did not move.
	// Tensors that are not shared are ignored.
	Tensors map[string][]float32
	// Weight is how much the update counts in each sum, in [0,1], by group name (ledger.TrunkGroup, ledger.HeadGroup);
	// missing means 1.
	Weight map[string]float64
}
