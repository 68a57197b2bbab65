package graph

import (
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
	loaded bool  // parameters are on the device as they are here
	host   map[string][]F
}

// deviceMap is an index map on the device, with what is derived from it; empty where no step needs it.
type deviceMap struct{ to, start, rows cuda.Slice[int32] }

// NewDeviceExec returns a DeviceExec with parameters of zeros.
func NewDeviceExec[F kernels.Float](p *Program, d *cuda.Device) (*DeviceExec[F], error) {
	e := &DeviceExec[F]{Exec: NewExec[F](p, 1), device: d, at: make([]cuda.Slice[F], len(p.values)), maps: make([]deviceMap, len(p.indices)),
		pairs: make([]cuda.Slice[int32], len(p.pairs)), perms: map[*kernels.RowMap]cuda.Slice[int32]{}, host: map[string][]F{}}
	var err error
	if e.stream, err = d.NewStream(); err != nil {
		return nil, err
	}
	if err := e.placeFixed(); err != nil {
		return nil, fmt.Errorf("graph on %s: %w", d.Info().Name, err)
	}
	return e, nil
}

// Close frees the memory of the device.
func (e *DeviceExec[F]) Close() error {
	err := e.stream.Sync()
	for _, a := range []*cuda.Arena{e.fixed, e.batch, e.values} {
		if a != nil {
			if failed := a.Free(); err == nil {
				err = failed
			}
		}
	}
	return err
}

// Thaw says that parameters have been changed here, see Param: the next Run brings them to the device.
func (e *DeviceExec[F]) Thaw() { e.frozen, e.loaded = false, false }

// Run starts the computation of all outputs; Output and Sync wait for it. Errors are those of Exec, and of the device: memory
// that is not enough, a driver that fails.
func (e *DeviceExec[F]) Run(b *Batch[F]) error {
	if err := e.stream.Sync(); err != nil { // what it has to read of the batch before is there
		return err
	}
	e.pool.start()
	defer e.pool.stop()
	if err := e.bind(b); err != nil {
		return fmt.Errorf("run graph: %w", err)
	}
	if err := e.submit(b); err != nil {
		return fmt.Errorf("run graph on %s: %w", e.device.Info().Name, err)
	}
	return nil
}

// submit brings the batch to the device and starts all steps.
func (e *DeviceExec[F]) submit(b *Batch[F]) error {
	if e.profile != nil {
		if err := e.readProfile(); err != nil {
			return err
		}
	}
	e.list.Reset()
	if e.clock.begin != nil {
		cuda.Mark(&e.list, e.clock.begin)
	}
	e.upload()
	if err := e.placeBatch(b); err != nil {
		return err
	}
	if e.laid == nil || !slices.Equal(e.sizes, e.laid) {
		if err := e.layOut(); err != nil {
			e.laid = nil
			return err
		}
		e.laid = append(e.laid[:0], e.sizes...)
		e.hasPlan = true // for those who count
	}
	for i := 0; i < len(e.program.steps); i++ {
		e.mark(i)
		switch s := &e.program.steps[i]; {
		case s.region != none:
			e.recordRegion(s.region)
			for last := e.program.regions[s.region].last; i < last; i++ {
				e.mark(i + 1) // the first step of a region stands for all in a profile
			}
		case !s.frozen || !e.frozen:
			e.record(s)
		}
	}
	e.mark(len(e.program.steps))
	if e.clock.end != nil {
		cuda.Mark(&e.list, e.clock.end)
	}
	if err := e.stream.Run(&e.list); err != nil {
		return err
	}
	e.frozen = true
	return nil
}

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
