package federation

import (
	"context"

	"github.com/fedlam/fedlam/training/weights"
)

// A Streamer is a Trainer that goes on training while sums are made, as the rule fragments needs it. Its weights are not those
// that are certified: every number is ahead of its certified value by what was trained since it was last summed. A Lead does the
// arithmetic.
type Streamer interface {
	Trainer
	// Continue does local steps from where the trainer is, less those that Ahead did since the last Continue, and returns how far every
	// number is from its certified value w, which the last Merge brought.
	Continue(ctx context.Context, w *weights.Set, steps int) (Update, error)
	// Ahead does local steps until it has done that many since the last Continue, or ctx ends.
	Ahead(ctx context.Context, steps int) error
	// Merge takes over certified weights. Local progress stays on top of them, in the stretches taken without what the last
	// Continue returned. The first Merge of a process is an Install.
	Merge(ctx context.Context, w *weights.Set, taken []Slice) error
}

// A Lead is how far a Streamer is ahead of certified weights, and what of that it has handed over. The zero value is that of a new process.
type Lead struct {
	certified, handed *weights.Set
}

// HandOver remembers the local weights up to which progress is in an update.
func (l *Lead) HandOver(local *weights.Set) { l.handed = local.Clone() }

// Certified returns the weights of the last Merge, nil before the first.
func (l *Lead) Certified() *weights.Set { return l.certified }

// Merge returns the tensors of w with local progress on top: with a, the weights of the last Merge,
//
//	local + (w - a)
//
// and in the stretches taken, where a is what was handed over. The mean over members replaces what this one gave to it; what it has trained
// since stays in full (Douillard et al. 2025 mix both with a factor instead). A number without progress becomes w exactly, and where w is a,
// the number stays as it is, to the last bit. The first time, and for tensors that local does not have, it is w.
//
// local is not changed; w is kept and must not be changed.
func (l *Lead) Merge(local, w *weights.Set, taken []Slice) *weights.Set {
	out := w.Clone()
	if l.certified != nil {
		anchor := l.anchor(local, taken)
		for _, t := range out.Tensors() {
			mine, ok := local.Get(t.Name)
			if a, known := anchor.Get(t.Name); ok && known {
				rebase(t.Data, mine.Data, a.Data)
			}
		}
	}
	l.certified, l.handed = w, nil
	return out
}

// anchor is where the progress begins that is kept.
func (l *Lead) anchor(local *weights.Set, taken []Slice) *weights.Set {
	anchor, handed := l.certified.Clone(), l.handed
	if handed == nil {
		handed = local // what is in the sum was handed over by an earlier process
	}
	for _, s := range taken {
		a, ok := anchor.Get(s.Tensor)
		if h, has := handed.Get(s.Tensor); ok && has {
			copy(a.Data[s.From:s.From+s.Len], h.Data[s.From:s.From+s.Len])
		}
	}
	return anchor
}

// rebase adds local progress since from to the numbers to.
func rebase(to, local, from []float64) {
	for k, w := range to {
		switch {
		case local[k] == from[k]:
		case w == from[k]:
			to[k] = local[k]
		default:
			to[k] = local[k] + (w - from[k])
		}
	}
}
