package dpa2

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/training/graph"
	"github.com/fedlam/fedlam/training/optim"
)

// residentRunner is the part of a Resident that knows the precision.
type residentRunner interface {
	Meter
	load(head int, whole bool) error
	start(b *Batch, extra map[string][]float64) error
	move(head, number int, lr float64, done *cuda.Event) (report []float64, err error)
	undo(head int)
	reset() error
	Read(names ...string) error
	kept(head int) (loss, energy, force, virial []float64, err error)
	setValues() error
	values() error
	state() (map[string]optim.Moments, error)
	setState(map[string]optim.Moments) error
	close() error
}

// residentExec is a residentRunner with arithmetic in T.
type residentExec[T kernels.Float] struct {
	*exec[T]
	device  *cuda.Device
	program *graph.DeviceExec[T]
	adam    *optim.DeviceAdam[T]
	tensors []residentTensor
	heads   []boundHead[T]
	grads   []string // outputs that are gradients, in the order of boundHead.moved
	list    cuda.Recorder
}

var _ residentRunner = (*residentExec[float32])(nil)

// residentTensor is a tensor of the models, in the order of the optimiser's.
type residentTensor struct {
	spec paramSpec
	data []float64 // the host's copy
}

// boundHead is what a head has on the device.
type boundHead[T kernels.Float] struct {
	all   []optim.Bound[T] // what the program reads, trunk first
	own   []optim.Bound[T] // of these, those of the head
	moved []optim.Bound[T] // trained tensors
	last  predictions[T]   // of its last step
}

// predictions are copies of outputs.
type predictions[T kernels.Float] struct {
	memory *cuda.Arena
	out    [len(predicted)]cuda.Slice[T]
}

// predicted are the outputs that errors are made of; those that a program lacks are empty.
var predicted = [...]string{"loss", "energy", "force", "virial"}

func newResidentExec[T kernels.Float](e *exec[T], s *TrainingStep, models []*Model, d *cuda.Device, cfg optim.Config) (*residentExec[T], error) {
	r := &residentExec[T]{exec: e, device: d, program: e.executor.(*graph.DeviceExec[T]), grads: s.outputs}
	var list []optim.DeviceTensor
	known := map[string]int{}
	for _, m := range models {
		h, err := r.bind(m, s.trainable, known, &list)
		if err != nil {
			return nil, err
		}
		r.heads = append(r.heads, h)
	}
	var err error
	r.adam, err = optim.NewDeviceAdam[T](cfg, d, r.program.Stream(), list)
	return r, err
}

// bind lists the tensors of a model, those first met in list, and says where the program has them.
func (r *residentExec[T]) bind(m *Model, trainable []string, known map[string]int, list *[]optim.DeviceTensor) (h boundHead[T], err error) {
	trained := map[string]bool{}
	for _, path := range trainable {
		trained[path] = true
	}
	at := map[string]optim.Bound[T]{}
	for _, spec := range r.params {
		name := HeadPath(m.Head, spec.path)
		k, met := known[name]
		if !met {
			t, ok := m.Params.Get(name)
			if !ok || len(t.Data) != product(spec.shape) {
				return h, fmt.Errorf("model: tensor %q is missing or does not have shape %v", name, spec.shape)
			}
			k = len(*list)
			known[name] = k
			*list = append(*list, optim.DeviceTensor{Name: name, Len: spec.programLen(), Trained: trained[spec.path]})
			r.tensors = append(r.tensors, residentTensor{spec, t.Data})
		}
		b := optim.Bound[T]{Tensor: k, Param: r.program.DeviceParam(spec.path)}
		at[spec.path] = b
		if b.Param.Len() == 0 { // taken out of the program: nothing depends on it
			continue
		}
		h.all = append(h.all, b)
		if !strings.HasPrefix(spec.path, "descriptor/") {
			h.own = append(h.own, b)
		}
	}
	for _, path := range trainable {
		h.moved = append(h.moved, at[path])
	}
	return h, nil
}

// load brings the tensors of a head to the program, and with whole those of the trunk.
func (r *residentExec[T]) load(head int, whole bool) error {
	r.list.Reset()
	list := r.heads[head].own
	if whole {
		list = r.heads[head].all
	}
	r.adam.Load(&r.list, list)
	r.program.Loaded()
	return r.program.Stream().Run(&r.list)
}

// move starts the optimiser's step with the gradient that the program leaves, keeps the predictions and marks the end.
func (r *residentExec[T]) move(head, number int, lr float64, done *cuda.Event) ([]float64, error) {
	h := &r.heads[head]
	for k, name := range r.grads {
		h.moved[k].Grad = r.program.Device(name)
	}
	r.list.Reset()
	if err := r.keep(&h.last); err != nil {
		return nil, err
	}
	report := r.adam.Step(&r.list, lr, number, r.program.Device("loss"), h.moved)
	cuda.Mark(&r.list, done)
	if err := r.program.Stream().Run(&r.list); err != nil {
		r.adam.Undo(h.moved)
		return nil, err
	}
	return report, nil
}

func (r *residentExec[T]) undo(head int) { r.adam.Undo(r.heads[head].moved) }

// reset lets steps change something again.
func (r *residentExec[T]) reset() error {
	r.list.Reset()
	r.adam.Reset(&r.list)
	if err := r.program.Stream().Run(&r.list); err != nil {
		return err
	}
	return r.program.Sync()
}

// keep records that predictions are copied before the next run overwrites them.
func (r *residentExec[T]) keep(p *predictions[T]) error {
	bytes := 0
	for _, name := range predicted {
		bytes += cuda.Room[T](r.program.Device(name).Len())
	}
	if p.memory == nil || p.memory.Bytes() < bytes {
		if p.memory != nil {
			if err := p.memory.Free(); err != nil {
				return err
			}
		}
		var err error
		if p.memory, err = r.device.NewArena(bytes + bytes/4); err != nil {
			return err
		}
	}
	p.memory.Reset(0)
	for k, name := range predicted {
		from := r.program.Device(name)
		var err error
		if p.out[k], err = cuda.Take[T](p.memory, from.Len()); err != nil {
			return err
		}
		cuda.Copy(&r.list, p.out[k], from)
	}
	return nil
}

// kept waits for the predictions of the last step of a head.
func (r *residentExec[T]) kept(head int) (loss, energy, force, virial []float64, err error) {
	var raw [len(predicted)][]T
	r.list.Reset()
	for k, from := range r.heads[head].last.out {
		raw[k] = make([]T, from.Len())
		cuda.Download(&r.list, raw[k], from)
	}
	if err = r.program.Stream().Run(&r.list); err == nil {
		err = r.program.Sync()
	}
	var out [len(predicted)][]float64
	for k, x := range raw {
		for _, v := range x {
			out[k] = append(out[k], float64(v)) // nil for what the program lacks
		}
	}
	return out[0], out[1], out[2], out[3], err
}

// setValues brings the host's copy to the device.
func (r *residentExec[T]) setValues() error {
	return r.adam.SetValues(r.program.Stream(), func(k int) []float64 {
		t := &r.tensors[k]
		data := make([]float64, t.spec.programLen())
		takeParam(data, t.data, t.spec)
		return data
	})
}

// values brings the host's copy of trained tensors up to date.
func (r *residentExec[T]) values() error {
	fresh := make([][]float64, len(r.tensors))
	err := r.adam.Values(r.program.Stream(), func(k int) []float64 {
		fresh[k] = make([]float64, r.tensors[k].spec.programLen())
		return fresh[k]
	})
	if err != nil {
		return err
	}
	for k, data := range fresh {
		copy(r.tensors[k].data, data)
	}
	return nil
}

func (r *residentExec[T]) state() (map[string]optim.Moments, error) {
	return r.adam.State(r.program.Stream())
}

func (r *residentExec[T]) setState(state map[string]optim.Moments) error {
	return r.adam.SetState(r.program.Stream(), state)
}

func (r *residentExec[T]) close() error {
	failed := []error{r.program.Close(), r.adam.Close()} // the program waits for what the optimiser still does
	for k := range r.heads {
		if m := r.heads[k].last.memory; m != nil {
			failed = append(failed, m.Free())
		}
	}
	return errors.Join(failed...)
}
