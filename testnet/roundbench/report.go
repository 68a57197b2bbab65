package roundbench

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/fedlam/fedlam/training/bench"
)

// A Report is what a round costs. Times are in seconds, of one member unless it says otherwise.
type Report struct {
	Version    int    `json:"version"` // 1
	What       string `json:"what"`    // "round"
	Members    int    `json:"members"`
	Dropped    int    `json:"dropped"`
	Parameters int    `json:"parameters"`
	Bits       int    `json:"bits"`

	Keys      float64 `json:"keys_s"`
	Shares    float64 `json:"shares_s"`
	Confirm   float64 `json:"confirm_s"`
	Quantize  float64 `json:"quantize_s"`
	Mask      float64 `json:"mask_s"`
	MaskPerMi float64 `json:"mask_s_per_mi"` // per 2^20 parameters
	Statement float64 `json:"statement_s"`
	Unmask    float64 `json:"unmask_s"` // to open its shares
	Open      float64 `json:"open_s"`   // to check all and rebuild the seeds
	Sum       float64 `json:"sum_s"`    // of its part of the chunks
	SumPerMi  float64 `json:"sum_s_per_mi"`
	Secure    float64 `json:"secure_s"` // all of that but quantising, which sending in the clear needs too
	Round     float64 `json:"round_s"`  // all members' work on this machine

	Upload             float64 `json:"upload_bytes"` // of the member that sends most, bodies, each once
	UploadPerParameter float64 `json:"upload_bytes_per_parameter"`
	AgainstPlain       float64 `json:"upload_against_plain"` // to the same lanes in the clear

	LocalStep     float64 `json:"local_step_s,omitempty"`    // of training, model small, 192 atoms; 0 when not measured
	RoundSteps    int     `json:"local_steps,omitempty"`     // per round
	SecureShare   float64 `json:"secure_fraction,omitempty"` // of a round's local training and secure sum
	Memory        int64   `json:"process_bytes"`             // most in use by the process; 0 if the system does not tell
	bench.Machine `json:"machine"`
}

// AddTraining says how much of a round the secure sum takes beside that many local steps.
func (r *Report) AddTraining(step float64, steps int) {
	r.LocalStep, r.RoundSteps = step, steps
	r.SecureShare = r.Secure / (r.Secure + r.Quantize + step*float64(steps))
}

// Print writes a table.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	row("round", "%d members, %d dropped after key agreement, %d parameters, %d-bit lanes", r.Members, r.Dropped, r.Parameters, r.Bits)
	row("key agreement", "keys %.2f ms, shares %.1f ms, confirmation %.1f ms, each member", 1e3*r.Keys, 1e3*r.Shares, 1e3*r.Confirm)
	row("masking", "%.3f s each member, %.3f s per 2^20 parameters; quantising %.3f s", r.Mask, r.MaskPerMi, r.Quantize)
	row("opening", "own shares %.1f ms, all seeds %.2f s, own part of the sum %.3f s, %.3f s per 2^20 parameters", 1e3*r.Unmask, r.Open, r.Sum, r.SumPerMi)
	row("all members", "%.1f s on this machine", r.Round)
	row("upload", "%.2f MB, %.3f bytes per parameter, %.3f of lanes in the clear", r.Upload/1e6, r.UploadPerParameter, r.AgainstPlain)
	if r.RoundSteps > 0 {
		row("secure sum", "%.3f s each member, %.1f %% of a round of %d local steps of %.1f ms", r.Secure, 100*r.SecureShare, r.RoundSteps, 1e3*r.LocalStep)
	}
	row("memory", "process %.0f MB", float64(r.Memory)/1e6)
	row("machine", "%s, %d cores, %s, %s", r.CPU, r.Cores, r.Go, r.System)
	return t.Flush()
}
