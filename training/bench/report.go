package bench

import (
	"github.com/fedlam/fedlam/training/dpa2"
)

// A Report is the measurement of a training step or a prediction.
type Report struct {
	Version    int            `json:"version"` // 1
	What       string         `json:"what"`    // "step" or "eval"
	Model      string         `json:"model"`
	Parameters int            `json:"parameters"` // trained numbers
	System     string         `json:"system"`
	Atoms      int            `json:"atoms"`
	Neighbors  int            `json:"neighbors"` // within the cut-off, of all atoms together
	Precision  dpa2.Precision `json:"precision"`
	Threads    int            `json:"threads"`
	Device     string         `json:"device,omitempty"` // the GPU; empty for the processor

	Times       Times   `json:"time"`
	DeviceTimes *Times  `json:"device_time,omitempty"` // from the first copy to the end of the last kernel, by events of the GPU
	Prepare     float64 `json:"prepare_s"`             // neighbour lists and layout, before each run of a new frame; one thread
	AtomsPerS   float64 `json:"atoms_per_s"`           // this and all below at the median time
	MicrosAtom  float64 `json:"us_per_atom"`
	FLOP        int64   `json:"flop"`
	ProductFLOP int64   `json:"product_flop"` // of matrix products and contractions
	GFLOPS      float64 `json:"gflops"`       // of all FLOP
	Peak        Peak    `json:"peak"`
	Fraction    float64 `json:"fraction_of_peak"` // product FLOP / time / peak

	Tiles       string      `json:"tiles,omitempty"` // on a GPU: "emit" or "interpret", see package cuda, and why if that was not asked for
	Memory      Memory      `json:"memory"`
	Allocations Allocations `json:"allocations"`
	Machine     Machine     `json:"machine"`
	Nodes       []Node      `json:"nodes,omitempty"` // longest first
	Kinds       []Kind      `json:"kinds,omitempty"` // longest first
}

// Memory is what the runs needed.
type Memory struct {
	Process      int64   `json:"process_bytes"` // most in use by the process until the last run; 0 if the system does not tell
	Arena        int64   `json:"arena_bytes"`   // intermediate values
	ArenaPerAtom float64 `json:"arena_bytes_per_atom"`
}

// derive fills in what follows from the measured numbers.
func (r *Report) derive() {
	r.AtomsPerS = float64(r.Atoms) / r.Times.Median
	r.MicrosAtom = 1e6 / r.AtomsPerS
	r.GFLOPS = float64(r.FLOP) / r.Times.Median / 1e9
	r.Fraction = float64(r.ProductFLOP) / r.Times.Median / 1e9 / r.Peak.GFLOPS
	r.Memory.ArenaPerAtom = float64(r.Memory.Arena) / float64(r.Atoms)
}
