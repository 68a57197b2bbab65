// Package dpa2 is the model DPA-2: an interatomic potential with attention on local environments, as DeePMD-kit 3
// defines it, down to the names of its tensors. Weights trained here run in DeePMD-kit (LAMMPS, ASE), and models of
// DeePMD-kit run and train here.
//
// A Config is the architecture; its JSON is the "model" section of a DeePMD input. A Model adds the numbers, as a
// weights.Set under the paths of DeePMD's model tree. New draws fresh ones, FromTree and Model.ToTree read and write
// the backend-neutral files.
//
//	m, err := dpa2.FromTree(tree)
//	e, err := dpa2.NewEvaluator(m, dpa2.Float64, 0)
//	p, err := e.Evaluate(frames) // p[k].Energy in eV, p[k].Forces in eV/Å
//
// Training is one step at a time: a TrainingStep gives the loss of a Batch and its gradient by every trained tensor;
// what is done with the gradient is the caller's.
//
//	step, err := dpa2.NewTrainingStep(cfg, loss, dpa2.Float32, 0)
//	b, err := dpa2.NewBatch(cfg, frames)
//	metrics, err := step.Run(m, b, loss.At(lr, startLR), grad)
//
// An Evaluator takes frames of any size: from a few thousand atoms on it uses a program that computes more again and keeps
// less, 50 kB per atom of the official small model in float32. Evaluator.Limit has it refuse what does not fit into memory.
//
// NewSample does the part of NewBatch that a frame needs once (neighbours), Collate the part each batch needs.
//
// # Heads
//
// A Set may hold one trunk ("descriptor/...") and several heads, whose tensors carry the prefix "heads/<key>/" before
// "fitting/..." and "@variables/...". A Model with Head set reads and is given gradients under those names; programs
// do not know of heads, so that one TrainingStep serves all heads with one architecture of the fitting net.
//
// # Exactness
//
// DeePMD-kit pads each atom's neighbours to nsel slots; here programs run over the neighbours that exist. The results
// are the same numbers, because constant divisors, the slots' share in softmax denominators, and with davg ≠ 0 their
// share in sums are kept. An atom with more than nsel neighbours keeps the nearest, as there; Batch.Dropped counts
// what that cost. Geometry enters as edge vectors computed in float64. Energies of references (out_bias,
// bias_atom_e) never enter a program: they are subtracted from labels and added to predictions in float64.
// Results are the same bits for any number of threads.
//
// Per-atom virials, hessians, spin, compressed models, use_econf_tebd, use_aparam_as_mask and float16 are not
// implemented; configurations that ask for them are refused. Statistics (davg, dstd) and energy references are
// computed by package training.
//
// The file names follow DPA2_SPEC.md in the design documents, to which comments refer as SPEC.
package dpa2
