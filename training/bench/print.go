package bench

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	line("measured", "%s of model %s (%d parameters) on %s", r.What, r.Model, r.Parameters, r.System)
	line("atoms", "%d, with %.1f neighbours each", r.Atoms, float64(r.Neighbors)/float64(r.Atoms))
	line("arithmetic", "%s, %s", r.Precision, worker(r.Device, r.Threads))
	if t := r.DeviceTimes; t != nil {
		line("time on the GPU", "median %.3f ms, min %.3f ms, max %.3f ms, by its events", 1e3*t.Median, 1e3*t.Min, 1e3*t.Max)
	}
	line("time", "median %.3f ms, min %.3f ms, max %.3f ms of %d runs after %d", 1e3*r.Times.Median, 1e3*r.Times.Min, 1e3*r.Times.Max, r.Times.Runs, warmUp)
	line("neighbour lists", "%.3f ms once for each frame, not part of the time", 1e3*r.Prepare)
	line("speed", "%.0f atoms/s, %.2f µs/atom", r.AtomsPerS, r.MicrosAtom)
	line("work", "%.3f GFLOP, of which matrix products %.3f", float64(r.FLOP)/1e9, float64(r.ProductFLOP)/1e9)
	line("rate", "%.2f GFLOP/s, of which matrix products %.2f", r.GFLOPS, r.Fraction*r.Peak.GFLOPS)
	line("fraction of peak", "%.1f %% (matrix products only)", 100*r.Fraction)
	printPeak(line, r.Peak, r.Device)
	if r.Tiles != "" {
		line("formulas on the GPU", "%s", r.Tiles)
	}
	line("memory", "process %s, %.1f kB/atom; of these arena %.1f MB, %.1f kB/atom", megabytes(r.Memory.Process),
		float64(r.Memory.Process)/float64(max(r.Atoms, 1))/1e3, float64(r.Memory.Arena)/1e6, r.Memory.ArenaPerAtom/1e3)
	line("heap allocations", "%.1f per run, %.1f kB", r.Allocations.Count, r.Allocations.Bytes/1e3)
	printMachine(line, r.Machine)
	if err := t.Flush(); err != nil || len(r.Nodes) == 0 {
		return err
	}
	return r.printNodes(w)
}

// worker says what computes.
func worker(device string, threads int) string {
	if device != "" {
		return device
	}
	return fmt.Sprintf("%d threads", threads)
}

func printPeak(line func(name, format string, args ...any), p Peak, device string) {
	product := "product in cache"
	if device != "" {
		product = "large product"
	}
	line("peak", "%.1f GFLOP/s of a %s, %.1f GB/s of memory, measured", p.GFLOPS, product, p.GBPS)
}

func printMachine(line func(name, format string, args ...any), m Machine) {
	formulas := "interpreted formulas"
	if m.Compiled {
		formulas = "compiled formulas"
	}
	line("machine", "%s, %d cores, kernels %s, %s, %s %s", m.CPU, m.Cores, m.Kernels, formulas, m.Go, m.System)
}

func megabytes(n int64) string {
	if n == 0 {
		return "unknown"
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// shownNodes is how many nodes the table has; the JSON has all.
const shownNodes = 40

// printNodes writes the tables of the profile.
func (r *Report) printNodes(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	const columns = "ms\tshare\tMFLOP\tGFLOP/s\tof peak\tMB\tGB/s\tof memory\t"
	row := func(l Load, what string) {
		fmt.Fprintf(t, "%.3f\t%.1f %%\t%.2f\t%.2f\t%.1f %%\t%.2f\t%.2f\t%.0f %%\t  %s\n", 1e3*l.Seconds, 100*l.Share,
			float64(l.FLOP)/1e6, l.GFLOPS, 100*l.OfPeak, float64(l.Bytes)/1e6, l.GBPS, 100*l.OfPeakGBS, what)
	}
	fmt.Fprintf(w, "\nBy kind of operation, least time of each node in %d runs:\n", r.Times.Runs)
	fmt.Fprintln(t, columns+"  kind (nodes)")
	for _, k := range r.Kinds {
		row(k.Load, fmt.Sprintf("%s (%d)", k.Kind, k.Nodes))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	shown := r.Nodes[:min(len(r.Nodes), shownNodes)]
	fmt.Fprintf(w, "\nThe longest %d of %d nodes:\n", len(shown), len(r.Nodes))
	fmt.Fprintln(t, columns+"  rows x columns, operations")
	for _, n := range shown {
		row(n.Load, fmt.Sprintf("%d x %d %s", n.Rows, n.Cols, shortened(n.Label)))
	}
	return t.Flush()
}

// shortened keeps the end of a long label, which has the shape, and its beginning.
func shortened(label string) string {
	const most = 60
	operations, shape, _ := strings.Cut(label, " ")
	if len(operations) > most {
		operations = operations[:most] + "..."
	}
	return operations + " " + shape
}

// Print writes the report for people.
func (r *GEMMReport) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	line("measured", "matrix products, one in each thread at a time")
	line("arithmetic", "%s, %s", r.Precision, worker(r.Device, r.Threads))
	printPeak(line, r.Peak, r.Device)
	if r.disturbed() {
		line("disturbed", "the peak fell to %.1f GFLOP/s while other programs used the cores; measure again when they do not", r.LeastPeak)
	}
	printMachine(line, r.Machine)
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "op\tm\tk\tn\tmedian ms\tmin ms\tmax ms\tGFLOP/s\tof peak\tGB/s\tof memory\t  layer")
	for _, p := range r.Products {
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.4f\t%.4f\t%.4f\t%.2f\t%.1f %%\t%.2f\t%.0f %%\t  %s\n", p.Op, p.M, p.K, p.N,
			1e3*p.Times.Median, 1e3*p.Times.Min, 1e3*p.Times.Max, p.GFLOPS, 100*p.Fraction, p.GBPS, 100*p.OfPeakGBS, p.Layer)
	}
	return t.Flush()
}
