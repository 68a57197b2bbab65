package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
)

// A GPUTask is a line of the table of a GPU: something that is measured, and what it should at most be.
type GPUTask struct {
	Eval   bool // prediction of energy, forces and virial; else a training step
	Model  string
	System string
	Unit   string  // GPUMillis, GPUMicros or GPUPercent
	Bar    float64 // at most so much, in percent at least
}

// Units of the table.
const (
	GPUMillis  = "ms"
	GPUMicros  = "µs/atom"
	GPUPercent = "% of peak" // of the rate of float32 products that the same process measured
)

// GPUTasks is the table that docs/performance.md asks for, in float32.
var GPUTasks = []GPUTask{
	{false, "small", "water192", GPUMillis, 6},
	{false, "medium", "water192", GPUMillis, 15},
	{false, "medium", "water12288", GPUPercent, 12},
	{true, "medium", "water98304", GPUMicros, 25},
}

// A GPUReport is what a GPU does, and whether it does it right.
type GPUReport struct {
	Version int       `json:"version"` // 1
	What    string    `json:"what"`    // "gpu"
	Device  string    `json:"device"`
	Tiles   string    `json:"tiles"` // as in a Report
	Checks  []GPUTest `json:"checks"`
	Lines   []GPULine `json:"lines"`
	Machine Machine   `json:"machine"`
}

// A GPUTest is a comparison with the processor, or of two runs.
type GPUTest struct {
	What  string  `json:"what"`
	Value float64 `json:"value"` // relative to the largest number
	Limit float64 `json:"limit"`
	OK    bool    `json:"ok"`
}

// A GPULine is a measured line of the table.
type GPULine struct {
	Task   string  `json:"task"` // "step" or "eval"
	Model  string  `json:"model"`
	System string  `json:"system"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	Bar    float64 `json:"bar"`
	OK     bool    `json:"ok"`
	Error  string  `json:"error,omitempty"` // why there is no value

	Seconds       float64 `json:"time_s"`        // median of a run
	DeviceSeconds float64 `json:"device_time_s"` // of it, from the first copy to the end of the last kernel
	Fraction      float64 `json:"fraction_of_peak"`
	ArenaPerAtom  float64 `json:"arena_bytes_per_atom"`
}

// GPU checks the device of the options against the processor and measures tasks there. A task that fails, for lack of memory for
// example, has an error in its line.
func GPU(ctx context.Context, o Options, tasks []GPUTask, progress func(text string)) (*GPUReport, error) {
	if o.Precision = dpa2.Float32; o.Device == nil {
		return nil, fmt.Errorf("this needs a GPU: install the driver, or see --device")
	}
	r := &GPUReport{Version: 1, What: "gpu", Device: o.Device.Info().String(), Machine: ThisMachine()}
	progress("comparing with the processor")
	if err := r.compare(ctx, o, tasks[0].Model, tasks[0].System); err != nil {
		return nil, err
	}
	for _, t := range tasks {
		progress(fmt.Sprintf("measuring %s of %s on %s", t.name(), t.Model, t.System))
		line, err := t.measure(ctx, o)
		if ctx.Err() != nil {
			return nil, err
		}
		if err != nil {
			line.Error = err.Error()
		}
		r.Lines = append(r.Lines, line)
	}
	r.Tiles = tiles(o.Device)
	return r, nil
}

func (t *GPUTask) name() string {
	if t.Eval {
		return "eval"
	}
	return "step"
}

// measure runs a task.
func (t *GPUTask) measure(ctx context.Context, o Options) (GPULine, error) {
	line := GPULine{Task: t.name(), Model: t.Model, System: t.System, Unit: t.Unit, Bar: t.Bar}
	model, err := OpenModel(t.Model, "")
	if err != nil {
		return line, err
	}
	system, err := OpenSystem(t.System, model.Model.Config.TypeMap)
	if err != nil {
		return line, err
	}
	run := Step
	if t.Eval {
		run = Eval
	}
	r, err := run(ctx, model, system, o)
	if err != nil {
		return line, err
	}
	line.take(r)
	return line, nil
}

// take takes over what was measured.
func (l *GPULine) take(r *Report) {
	l.Seconds, l.Fraction, l.ArenaPerAtom = r.Times.Median, r.Fraction, r.Memory.ArenaPerAtom
	if r.DeviceTimes != nil {
		l.DeviceSeconds = r.DeviceTimes.Median
	}
	switch l.Unit {
	case GPUMillis:
		l.Value = 1e3 * r.Times.Median
	case GPUMicros:
		l.Value = r.MicrosAtom
	case GPUPercent:
		l.Value = 100 * r.Fraction
	}
	l.OK = l.Value <= l.Bar
	if l.Unit == GPUPercent {
		l.OK = l.Value >= l.Bar
	}
}

// compare holds predictions of the GPU against those of the processor in float64, and against each other.
func (r *GPUReport) compare(ctx context.Context, o Options, model, system string) error {
	subject, err := OpenModel(model, "")
	if err != nil {
		return err
	}
	s, err := OpenSystem(system, subject.Model.Config.TypeMap)
	if err != nil {
		return err
	}
	forces := func(p dpa2.Precision, at dpa2.Place) ([]float64, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, err := dpa2.NewEvaluatorAt(subject.Model, p, at)
		if err != nil {
			return nil, err
		}
		predictions, err := e.Evaluate([]dataset.Frame{s.Frame})
		if err != nil {
			return nil, err
		}
		return predictions[0].Forces, e.Close()
	}
	want, err := forces(dpa2.Float64, dpa2.Place{Threads: o.Threads})
	if err != nil {
		return err
	}
	var double, first, second []float64
	for _, x := range []struct {
		to *[]float64
		p  dpa2.Precision
	}{{&double, dpa2.Float64}, {&first, dpa2.Float32}, {&second, dpa2.Float32}} {
		if *x.to, err = forces(x.p, o.place()); err != nil {
			return err
		}
	}
	r.check("forces in float64, of the processor's", apart(double, want), 1e-9)
	r.check("forces in float32, of the processor's in float64", apart(first, want), 1e-5)
	same := 0.0
	if !slices.Equal(first, second) {
		same = apart(first, second)
	}
	r.check("forces of two runs in float32", same, 0)
	return nil
}

func (r *GPUReport) check(what string, value, limit float64) {
	r.Checks = append(r.Checks, GPUTest{what, value, limit, value <= limit})
}

// apart is the largest difference of two lists, relative to the largest number of the second.
func apart(got, want []float64) float64 {
	worst, largest := 0.0, 0.0
	for k, w := range want {
		worst, largest = math.Max(worst, math.Abs(got[k]-w)), math.Max(largest, math.Abs(w))
	}
	return worst / largest
}

// Print writes the table in Markdown, as docs/performance.md has it.
func (r *GPUReport) Print(w io.Writer) error {
	p := &printing{w: w}
	p.line("%s; formulas: %s; %s, %d cores\n", r.Device, r.Tiles, r.Machine.CPU, r.Machine.Cores)
	p.line("| check | largest difference | limit | |\n|---|---|---|---|")
	for _, c := range r.Checks {
		p.line("| %s | %.1e | %.0e | %s |", c.What, c.Value, c.Limit, verdict(c.OK))
	}
	p.line("\n| float32 | model | system | measured | GPU alone, ms | bar | | of peak | memory, kB/atom |\n|---|---|---|---|---|---|---|---|---|")
	for _, l := range r.Lines {
		if l.Error != "" {
			p.line("| %s | %s | %s | %s | | %g %s | | | |", l.Task, l.Model, l.System, l.Error, l.Bar, l.Unit)
			continue
		}
		p.line("| %s | %s | %s | %.3g %s | %.3g | %g %s | %s | %.1f %% | %.0f |", l.Task, l.Model, l.System, l.Value, l.Unit, 1e3*l.DeviceSeconds, l.Bar, l.Unit,
			verdict(l.OK), 100*l.Fraction, l.ArenaPerAtom/1e3)
	}
	return p.err
}

// printing writes lines until one fails.
type printing struct {
	w   io.Writer
	err error
}

func (p *printing) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func verdict(ok bool) string {
	if ok {
		return "met"
	}
	return "missed"
}
