package optim

import (
	"errors"
	"fmt"
	"math"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
)

// A DeviceTensor is a tensor that a DeviceAdam keeps on a GPU.
type DeviceTensor struct {
	Name    string
	Len     int  // numbers
	Trained bool // has moments; others are only loaded
}

// A DeviceAdam is Clip and Adam with float64 masters and moments in the memory of a GPU, for programs that compute in F. It does
// what they do, in the same order, but for the sum over the squares of the gradient, whose order is another fixed one.
//
// Steps are recorded for a stream and done later, so whether one was possible is known later as well: a step whose gradient or
// loss is not finite changes nothing and neither do those after it, until Reset. The report of a step tells. The host counts
// steps as if all were possible; Undo takes one back.
//
// It is for one goroutine at a time.
type DeviceAdam[F kernels.Float] struct {
	adam    *Adam // constants
	device  *cuda.Device
	tensors []deviceTensor
	arena   *cuda.Arena
	state   cuda.Slice[float64]
	scratch cuda.Slice[float64] // a number for each block of all tensors
	steps   tables              // of the steps under way
	loads   tables
	reports [2][]float64 // of the steps under way, in memory that the device writes
}

type deviceTensor struct {
	DeviceTensor
	value, m1, m2 cuda.Slice[float64]
	step          int // steps that it took
}

// tables are memory for two tables of tensors, of which the older one is used next.
type tables struct {
	host   [2][]uint8
	device [2]cuda.Slice[uint8]
	turn   int
}

func (t *tables) next() (host []uint8, device cuda.Slice[uint8]) {
	t.turn = 1 - t.turn
	return t.host[t.turn], t.device[t.turn]
}

// Bound says where a program has a tensor.
type Bound[F kernels.Float] struct {
	Tensor int           // position in the list given to NewDeviceAdam
	Param  cuda.Slice[F] // where the program reads it; empty if it does not
	Grad   cuda.Slice[F] // where the program leaves its gradient; not for Load
}

// NewDeviceAdam takes memory for the tensors, whose moments begin as zeros, and waits for s.
func NewDeviceAdam[F kernels.Float](cfg Config, d *cuda.Device, s *cuda.Stream, list []DeviceTensor) (*DeviceAdam[F], error) {
	adam, err := NewAdam(cfg)
	if err != nil {
		return nil, err
	}
	a := &DeviceAdam[F]{adam: adam, device: d}
	if err := a.allocate(list); err != nil {
		return nil, errors.Join(fmt.Errorf("optimizer on %s: %w", d.Info().Name, err), a.Close())
	}
	var r cuda.Recorder
	cuda.Zero(&r, a.state)
	for _, t := range a.tensors {
		cuda.Zero(&r, t.m1)
		cuda.Zero(&r, t.m2)
	}
	return a, run(s, &r)
}

// run does what is listed and waits for it.
func run(s *cuda.Stream, r *cuda.Recorder) error {
	if err := s.Run(r); err != nil {
		return err
	}
	return s.Sync()
}

// allocate takes all memory.
func (a *DeviceAdam[F]) allocate(list []DeviceTensor) (err error) {
	blocks, bytes := 0, cuda.Room[float64](cuda.OptimStateLen)
	for _, t := range list {
		blocks += cuda.TensorBlocks(t.Len)
		bytes += cuda.Room[float64](t.Len)
		if t.Trained {
			bytes += 2 * cuda.Room[float64](t.Len)
		}
	}
	table := cuda.TensorsRoom(len(list), blocks)
	bytes += cuda.Room[float64](blocks) + 4*cuda.Room[uint8](table)
	if a.arena, err = a.device.NewArena(bytes); err != nil {
		return err
	}
	take := func(n int) (s cuda.Slice[float64]) {
		if err == nil {
			s, err = cuda.Take[float64](a.arena, n)
		}
		return s
	}
	a.state, a.scratch = take(cuda.OptimStateLen), take(blocks)
	for _, t := range list {
		d := deviceTensor{DeviceTensor: t, value: take(t.Len)}
		if t.Trained {
			d.m1, d.m2 = take(t.Len), take(t.Len)
		}
		a.tensors = append(a.tensors, d)
	}
	return errors.Join(err, a.allocateHost(table))
}

// allocateHost takes memory for tables and reports.
func (a *DeviceAdam[F]) allocateHost(table int) (err error) {
	for k := range 2 {
		for _, t := range []*tables{&a.steps, &a.loads} {
			if t.device[k], err = cuda.Take[uint8](a.arena, table); err != nil {
				return err
			}
			if t.host[k], err = cuda.NewHost[uint8](a.device, table); err != nil {
				return err
			}
		}
		if a.reports[k], err = cuda.NewHost[float64](a.device, cuda.OptimStateLen); err != nil {
			return err
		}
	}
	return nil
}

// Close frees all memory; nothing that uses it may be under way.
func (a *DeviceAdam[F]) Close() error {
	var failed []error
	if a.arena != nil {
		failed = append(failed, a.arena.Free())
	}
	for k := range 2 {
		for _, t := range []*tables{&a.steps, &a.loads} {
			failed = append(failed, cuda.FreeHost(a.device, t.host[k]))
			t.host[k] = nil
		}
		failed = append(failed, cuda.FreeHost(a.device, a.reports[k]))
		a.reports[k] = nil
	}
	return errors.Join(failed...)
}

// Load records that the masters go to where programs read them. Of lists recorded, two may be waiting to be done.
func (a *DeviceAdam[F]) Load(r *cuda.Recorder, list []Bound[F]) {
	tensors := make([]cuda.Tensor[F], len(list))
	for k, b := range list {
		tensors[k] = cuda.Tensor[F]{Value: a.tensors[b.Tensor].value, Param: b.Param}
	}
	host, device := a.loads.next()
	cuda.LoadParams(r, cuda.UploadTensors(r, device, host, tensors))
}

// Step records a step of the listed tensors, which must be trained; others rest. number, which is positive, names the step in
// reports. When what is recorded is done, the report holds the state of then, see cuda.ParseOptimState, until the second next
// Step is done. Before that one is recorded, this one must be done.
func (a *DeviceAdam[F]) Step(r *cuda.Recorder, lr float64, number int, loss cuda.Slice[F], list []Bound[F]) (report []float64) {
	cfg := &a.adam.cfg
	tensors := make([]cuda.Tensor[F], len(list))
	for k, b := range list {
		t := &a.tensors[b.Tensor]
		t.step++
		tensors[k] = cuda.Tensor[F]{Value: t.value, M1: t.m1, M2: t.m2, Param: b.Param, Grad: b.Grad,
			Rate: lr / (1 - math.Pow(cfg.Beta1, float64(t.step))), Root: math.Sqrt(1 - math.Pow(cfg.Beta2, float64(t.step)))}
	}
	host, device := a.steps.next()
	table := cuda.UploadTensors(r, device, host, tensors)
	cuda.GradNorm(r, a.state, table, loss, cfg.MaxNorm, number, a.scratch)
	cuda.Adam(r, a.state, table, lr, cuda.AdamConfig{Beta1: cfg.Beta1, Beta2: cfg.Beta2, Eps: cfg.Eps, Decay: a.adam.decay,
		Decoupled: cfg.Type == "AdamW"})
	report = a.reports[a.steps.turn]
	cuda.Download(r, report, a.state)
	return report
}

// Undo takes the count of a step back that has changed nothing.
func (a *DeviceAdam[F]) Undo(list []Bound[F]) {
	for _, b := range list {
		a.tensors[b.Tensor].step--
	}
}

// Reset records that steps change something again after one that could not.
func (a *DeviceAdam[F]) Reset(r *cuda.Recorder) { cuda.Zero(r, a.state) }

// SetValues replaces the master of each tensor by what of returns for its position in the list, and waits.
func (a *DeviceAdam[F]) SetValues(s *cuda.Stream, of func(tensor int) []float64) error {
	var r cuda.Recorder
	for k, t := range a.tensors {
		data := of(k)
		if len(data) != t.Len {
			return fmt.Errorf("parameter %q: %d values for %d", t.Name, len(data), t.Len)
		}
		cuda.Upload(&r, t.value, data)
	}
	return run(s, &r)
}

// Values waits and copies the masters of trained tensors to what into returns for their positions in the list, of their length.
func (a *DeviceAdam[F]) Values(s *cuda.Stream, into func(tensor int) []float64) error {
	var r cuda.Recorder
	for k, t := range a.tensors {
		if t.Trained {
			cuda.Download(&r, into(k), t.value)
		}
	}
	return run(s, &r)
}

// State waits and returns a copy of the moments of all tensors that took steps, for a checkpoint.
func (a *DeviceAdam[F]) State(s *cuda.Stream) (map[string]Moments, error) {
	var r cuda.Recorder
	out := map[string]Moments{}
	for _, t := range a.tensors {
		if t.step == 0 {
			continue
		}
		m := Moments{t.step, make([]float64, t.Len), make([]float64, t.Len)}
		cuda.Download(&r, m.M1, t.m1)
		cuda.Download(&r, m.M2, t.m2)
		out[t.Name] = m
	}
	return out, run(s, &r)
}

// SetState replaces the moments by those of state, and by zeros where it has none, after checking it, and waits.
func (a *DeviceAdam[F]) SetState(s *cuda.Stream, state map[string]Moments) error {
	var r cuda.Recorder
	for _, t := range a.tensors {
		m, ok := state[t.Name]
		switch {
		case !ok:
			cuda.Zero(&r, t.m1)
			cuda.Zero(&r, t.m2)
		case !t.Trained || m.Step < 0 || len(m.M1) != t.Len || len(m.M2) != t.Len:
			return fmt.Errorf("optimizer state of %q: step %d with %d and %d moments, for %d values", t.Name, m.Step, len(m.M1), len(m.M2), t.Len)
		default:
			cuda.Upload(&r, t.m1, m.M1)
			cuda.Upload(&r, t.m2, m.M2)
		}
	}
	if err := run(s, &r); err != nil {
		return err
	}
	for k := range a.tensors {
		a.tensors[k].step = state[a.tensors[k].Name].Step
	}
	return nil
}
