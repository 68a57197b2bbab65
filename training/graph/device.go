package graph

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
)

// A DeviceExec runs a program on batches on a GPU. Parameters, inputs, maps and all values are in the memory of the device, which
// grows with the batches. It is for one goroutine at a time; Close frees its memory.
//
// The host checks each batch and derives what steps need of its maps, as an Exec does. Results are the same bits on every run.
type DeviceExec[F kernels.Float] struct {
	*Exec[F] // checks batches; its own arena stays empty

	device *cuda.Device
	stream *cuda.Stream
	list   cuda.Recorder

	copies *cuda.Stream // brings batches to the device
	sent   cuda.Recorder
	stages [2]stage[F]
	turn   int // stage of the next batch
	moves  []move[F]

	fixed   *cuda.Arena         // parameters, constants, what follows from them, and maps of columns
	batch   *cuda.Arena         // inputs and maps between rows
	values  *cuda.Arena         // what steps compute, and scratch
	at      []cuda.Slice[F]     // by value
	maps    []deviceMap         // by position in Program.indices
	pairs   []cuda.Slice[int32] // by pairs, the first pair of each centre
	perms   map[*kernels.RowMap]cuda.Slice[int32]
	local   cuda.Slice[F] // values of the block under way
	blocks  blocking
	centres int                 // of a block, at most; 0 for as many as fit
	block   *deviceBlock        // being recorded; nil outside of regions
	scrap   cuda.Slice[F]       // scratch of the step under way
	scrap8  cuda.Slice[float64] // likewise

	clock deviceClock

	laid   []int // sizes that memory is laid out for
	loaded bool  // parameters are on the device as they should be
	host   map[string][]F
	closed bool

	again replay
}

// deviceMap is an index map on the device, with what is derived from it; empty where no step needs it.
type deviceMap struct{ to, start, rows cuda.Slice[int32] }

// NewDeviceExec returns a DeviceExec with parameters of zeros. So many threads of the host, at least one, check batches and lay
// them out.
func NewDeviceExec[F kernels.Float](p *Program, d *cuda.Device, threads int) (*DeviceExec[F], error) {
	e := &DeviceExec[F]{Exec: NewExec[F](p, threads), device: d, at: make([]cuda.Slice[F], len(p.values)), maps: make([]deviceMap, len(p.indices)),
		pairs: make([]cuda.Slice[int32], len(p.pairs)), perms: map[*kernels.RowMap]cuda.Slice[int32]{}, host: map[string][]F{}}
	e.other = e.move
	var err error
	if e.stream, err = d.NewStream(); err != nil {
		return nil, err
	}
	if err := e.openStages(); err != nil {
		return nil, err
	}
	if err := e.placeFixed(); err != nil {
		return nil, fmt.Errorf("graph on %s: %w", d.Info().Name, err)
	}
	return e, nil
}

// Close waits for all work and frees the memory of the device. What fails later than the first time is nothing.
func (e *DeviceExec[F]) Close() error {
	if e.closed {
		return nil
	}
	e.closed = true
	failed := []error{e.stream.Sync(), e.again.forget(), e.copies.Free(), e.stream.Free()}
	for k := range e.stages {
		failed = append(failed, e.stages[k].close(e.device))
	}
	for _, a := range []*cuda.Arena{e.fixed, e.batch, e.values} {
		if a != nil {
			failed = append(failed, a.Free())
		}
	}
	return errors.Join(failed...)
}

// Thaw says that parameters have been changed here, see Param: the next Run brings them to the device.
func (e *DeviceExec[F]) Thaw() { e.frozen, e.loaded = false, false }

// Run starts the computation of all outputs; Output and Sync wait for it. It returns when the batch has been read, and may be
// called again at once: it waits only for the run before the last to have begun. Errors are those of Exec, and of the device:
// memory that is not enough, a driver that fails, also in earlier runs.
func (e *DeviceExec[F]) Run(b *Batch[F]) error {
	e.pool.start()
	defer e.pool.stop()
	if err := e.bind(b); err != nil {
		return fmt.Errorf("run graph: %w", err)
	}
	if err := e.submit(); err != nil {
		return fmt.Errorf("run graph on %s: %w", e.device.Info().Name, err)
	}
	return nil
}

// submit brings the batch to the device and starts all steps.
func (e *DeviceExec[F]) submit() error {
	if e.profile != nil {
		if err := e.readProfile(); err != nil {
			return err
		}
	}
	if err := e.upload(); err != nil {
		return err
	}
	e.list.Reset()
	if e.clock.begin != nil {
		cuda.Mark(&e.list, e.clock.begin)
	}
	if err := e.placeBatch(); err != nil {
		return err
	}
	if e.laid == nil || !slices.Equal(e.sizes, e.laid) || !e.cutAgain() {
		e.again.alike = 0
		if err := e.layOut(); err != nil {
			e.laid = nil
			return err
		}
		e.laid = append(e.laid[:0], e.sizes...)
		e.hasPlan = true // for those who count
	}
	if err := e.stream.Run(&e.list); err != nil {
		return err
	}
	if err := e.startSteps(); err != nil || e.clock.end == nil {
		return err
	}
	e.list.Reset()
	cuda.Mark(&e.list, e.clock.end)
	return e.stream.Run(&e.list)
}

// Stream returns the stream that does the work of all runs in their order, for work before or after a run.
func (e *DeviceExec[F]) Stream() *cuda.Stream { return e.stream }

// Sync waits until everything is computed, and returns what went wrong.
func (e *DeviceExec[F]) Sync() error { return e.stream.Sync() }

// ArenaBytes returns the device's memory for intermediate values and scratch of a run with the sizes of the last one; 0 before the
// first.
func (e *DeviceExec[F]) ArenaBytes() int64 {
	if e.laid == nil {
		return 0
	}
	return int64(e.values.Used())
}

// Device returns an output in the memory of the device, valid until the next Run; empty for names that are not outputs.
func (e *DeviceExec[F]) Device(name string) cuda.Slice[F] {
	if id, ok := e.program.outputs[name]; ok && e.laid != nil {
		return e.slice(id)
	}
	return cuda.Slice[F]{}
}

// DeviceParam returns a parameter in the memory of the device, for those who write it there, see Loaded; empty for names that are
// no parameters of the program.
func (e *DeviceExec[F]) DeviceParam(name string) cuda.Slice[F] {
	for i := range e.program.values {
		if v := &e.program.values[i]; v.where == inParam && v.name == name {
			return e.at[i]
		}
	}
	return cuda.Slice[F]{}
}

// Loaded says that somebody else has brought parameters to the device, or changed them there: the next Run computes anew what
// follows from them, and takes none from here.
func (e *DeviceExec[F]) Loaded() { e.frozen, e.loaded = false, true }

// Read waits for the computation and copies outputs to the host, where Output has them until the next Read. Unknown names are ignored.
func (e *DeviceExec[F]) Read(names ...string) error {
	e.list.Reset()
	for _, name := range names {
		from := e.Device(name)
		if _, ok := e.program.outputs[name]; !ok {
			continue
		}
		e.host[name] = grow(e.host[name], from.Len())
		cuda.Download(&e.list, e.host[name], from)
	}
	if err := e.stream.Run(&e.list); err != nil {
		return err
	}
	return e.stream.Sync()
}

// Output returns the values of an output that Read has brought to the host; nil if it has not.
func (e *DeviceExec[F]) Output(name string) []F { return e.host[name] }
