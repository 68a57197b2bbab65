// Package bench measures how fast models train and predict on this machine, in a way that anybody can repeat: the systems
// and the weights are made from fixed seeds, and every result is compared with what the same process reached on a plain
// matrix product.
//
// A System is a frame to compute, a Subject a model; Step and Eval measure a training step and a prediction of the two and
// return a Report. GEMM measures the matrix products alone. A Report prints itself as a table and is written as JSON.
//
//	system, err := bench.OpenSystem("water192", nil)
//	subject, err := bench.OpenModel("small", "")
//	report, err := bench.Step(ctx, subject, system, bench.Options{Precision: dpa2.Float32, Threads: 2})
//	err = report.Print(os.Stdout)
//
// # What is measured
//
// A step is what training does with a batch that is ready: copying the weights, the program, copying out the gradients.
// A prediction is the same without gradients. Neighbour lists are measured apart, the optimizer not at all.
//
// # Fraction of peak
//
// The FLOP of matrix products and contractions, divided by the time of the whole run and by the best rate of a matrix
// product that stays in the caches, measured right before and after the runs with the same threads and precision. Other
// operations (tanh, sums, gathers) take time and do not count, so that the fraction says how far the whole is from what the
// processor's multipliers could do.
//
// Not here: accuracy, the federation, other machines.
package bench
