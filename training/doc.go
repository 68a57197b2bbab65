// Package training turns labelled frames into weights: a shared trunk, and one head for each label convention.
//
// A Trainer holds the float64 master weights, the optimiser and the sampling of the data. One step draws a head by
// its probability and a batch of that head's frames, evaluates loss and gradients on the graph of package dpa2,
// hands the gradients to a Reducer (where an institution with a cluster sums them over its machines; the default
// leaves them as they are), clips, and moves the parameters of the trunk and of the drawn head. Heads that were not
// drawn do not move, and neither do their optimiser moments.
//
//	t, err := training.New(cfg, heads)
//	err = t.Prepare()                          // statistics and energy references, once
//	err = t.Run(ctx, 1000, func(p training.Progress) { ... })
//	err = t.Save("run/model.ckpt-1000")
//
// A federation drives the same type: SetWeights puts certified weights in, Run trains, Weights takes the result out.
// Optimiser moments and the place in the data stay with the Trainer from round to round.
//
// Results depend on the configuration, the data and the seed, not on the number of threads or on interruptions: a run
// that was saved and resumed ends with the same bits as one that was not.
//
// With a GPU in Config.Place, steps run there and weights, moments and gradients stay there; the host prepares batches meanwhile.
// The numbers differ from those of the processor in rounding, and are the same bits each time. Close frees its memory.
//
// Before training, EnvStats normalise the environment matrix and a Reference takes the bulk of the energy off the
// network. Both look at one frame after the other, in memory that does not grow with their number, and PrepareCached keeps
// the result for the next start. Both can be made from plain sums, so that a federation can add up those of its members instead.
//
// Model reads what was trained: a checkpoint folder, or a model file of DeePMD-kit. Metrics compares predictions with
// labels. Curve writes lcurve.out. A Trainer is not safe for concurrent use.
package training
