package bench

import (
	"slices"

	"github.com/fedlam/fedlam/training/graph"
)

// A Node is the measurement of one node of the program. Times are the least of all runs, as what disturbs a short node
// disturbs it much; all nodes together take about the least time of a run.
type Node struct {
	Step  int    `json:"step"`  // position in the program
	Label string `json:"label"` // operations and shape
	Rows  int    `json:"rows"`  // of the result
	Cols  int    `json:"cols"`
	Again bool   `json:"again"` // computed before; done once more to save memory, and not counted in the FLOP of the run
	Load
}

// A Kind is the sum over all nodes of one kind of operation.
type Kind struct {
	Kind  string `json:"kind"`
	Nodes int    `json:"nodes"`
	Load
}

// A Load is what a part of a run takes.
type Load struct {
	Seconds   float64 `json:"time_s"`
	Share     float64 `json:"share"` // of the time of all nodes
	FLOP      int64   `json:"flop"`
	GFLOPS    float64 `json:"gflops"`
	OfPeak    float64 `json:"fraction_of_peak"`
	Bytes     int64   `json:"bytes"` // read and written
	GBPS      float64 `json:"gb_s"`
	OfPeakGBS float64 `json:"fraction_of_bandwidth"` // above 1 where caches serve
}

// addNodes takes over a profile; without one it does nothing.
func (r *Report) addNodes(profile []graph.NodeTime) {
	total := 0.0
	for _, n := range profile {
		total += n.Least.Seconds()
	}
	kinds := map[string]*Kind{}
	for _, n := range profile {
		l := Load{Seconds: n.Least.Seconds(), FLOP: n.FLOP, Bytes: n.Bytes}
		k := kinds[n.Kind]
		if k == nil {
			k = &Kind{Kind: n.Kind}
			kinds[n.Kind] = k
		}
		k.Nodes++
		k.Seconds += l.Seconds
		k.FLOP += l.FLOP
		k.Bytes += l.Bytes
		l.derive(total, r.Peak)
		r.Nodes = append(r.Nodes, Node{n.Step, n.Label, n.Rows, n.Cols, n.Again, l})
	}
	for _, k := range kinds {
		k.derive(total, r.Peak)
		r.Kinds = append(r.Kinds, *k)
	}
	slices.SortFunc(r.Nodes, func(x, y Node) int { return compareLoads(x.Load, y.Load, x.Step-y.Step) })
	slices.SortFunc(r.Kinds, func(x, y Kind) int { return compareLoads(x.Load, y.Load, 0) })
}

// compareLoads puts what takes longer first, and decides ties by otherwise.
func compareLoads(x, y Load, otherwise int) int {
	switch {
	case x.Seconds > y.Seconds:
		return -1
	case x.Seconds < y.Seconds:
		return 1
	}
	return otherwise
}

// derive fills in shares and rates. What took no measurable time has none.
func (l *Load) derive(total float64, p Peak) {
	if l.Seconds <= 0 {
		return
	}
	l.Share = l.Seconds / total
	l.GFLOPS = float64(l.FLOP) / l.Seconds / 1e9
	l.OfPeak = l.GFLOPS / p.GFLOPS
	l.GBPS = float64(l.Bytes) / l.Seconds / 1e9
	l.OfPeakGBS = l.GBPS / p.GBPS
}
