package cuda

import (
	"fmt"
	"runtime"
	"time"
	"unsafe"
)

// A Stream does work in the order in which it is given, while the host goes on. Work of different streams has no order.
type Stream struct {
	device *Device
	handle uintptr
	keep   []unsafe.Pointer // the owner's: memory of the host that copies under way use
}

// NewStream returns a stream. Close of the device frees it.
func (d *Device) NewStream() (*Stream, error) {
	const nonBlocking = 1 // does not wait for streams of others
	handle, err := d.make(fnStreamCreate, fnStreamDestroy, "a stream", nonBlocking)
	if err != nil {
		return nil, err
	}
	return &Stream{device: d, handle: handle}, nil
}

// Run starts the work that r lists. It returns before the work is done; what goes wrong later is an error of Sync. r may be
// reset and used again at once.
func (s *Stream) Run(r *Recorder) error {
	if r.err != nil {
		return r.err
	}
	return s.device.do(func() error {
		if err := s.device.prepare(r); err != nil {
			return err
		}
		return s.submit(r)
	})
}

// Sync waits until all work is done.
func (s *Stream) Sync() error {
	return s.device.do(func() error {
		err := s.device.drv.try(fnStreamSynchronize, s.handle)
		clear(s.keep)
		s.keep = s.keep[:0]
		return err
	})
}

// launchPacket is what the driver reads at a launch to find the arguments.
type launchPacket struct {
	extra [5]uintptr
	size  uintptr
}

// submit gives all work to the driver. The owner calls it.
func (s *Stream) submit(r *Recorder) error {
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&s.device.packet)
	if len(r.args) > 0 {
		pin.Pin(&r.args[0])
	}
	for i := range r.ops {
		if err := s.start(r, &r.ops[i]); err != nil {
			return err
		}
	}
	return nil
}

// start gives one piece of work to the driver.
func (s *Stream) start(r *Recorder, op *operation) error {
	drv := s.device.drv
	switch op.kind {
	case opLaunch:
		return s.launch(r, op)
	case opUpload:
		s.hold(op.host)
		return s.copied(drv.call(fnMemcpyHtoDAsync, uintptr(op.dst), uintptr(op.host), uintptr(op.bytes), s.handle), fnMemcpyHtoDAsync, op)
	case opDownload:
		s.hold(op.host)
		return s.copied(drv.call(fnMemcpyDtoHAsync, uintptr(op.host), uintptr(op.src), uintptr(op.bytes), s.handle), fnMemcpyDtoHAsync, op)
	case opCopy:
		return s.copied(drv.call(fnMemcpyDtoDAsync, uintptr(op.dst), uintptr(op.src), uintptr(op.bytes), s.handle), fnMemcpyDtoDAsync, op)
	case opZero:
		return s.copied(drv.call(fnMemsetD8Async, uintptr(op.dst), 0, uintptr(op.bytes), s.handle), fnMemsetD8Async, op)
	case opAwait:
		return drv.try(fnStreamWaitEvent, s.handle, op.event.handle, 0)
	default:
		return drv.try(fnEventRecord, op.event.handle, s.handle)
	}
}

// hold keeps memory of Go from being collected until Sync. That of NewHost stays by itself, so a stream that only events are
// waited for holds nothing more and more.
func (s *Stream) hold(p unsafe.Pointer) {
	if _, own := s.device.owned[object{fnMemFreeHost, uintptr(p)}]; !own {
		s.keep = append(s.keep, p)
	}
}

func (s *Stream) copied(r Result, fn symbol, op *operation) error {
	if r == 0 {
		return nil
	}
	return s.device.drv.failure(r, fn, fmt.Sprintf("%d bytes", op.bytes))
}

// Tags of launchPacket.extra.
const (
	tagBuffer = 1
	tagSize   = 2
)

func (s *Stream) launch(r *Recorder, op *operation) error {
	d := s.device
	d.packet.size = uintptr(op.size)
	d.packet.extra = [5]uintptr{tagBuffer, uintptr(unsafe.Pointer(unsafe.SliceData(r.args))) + uintptr(op.at),
		tagSize, uintptr(unsafe.Pointer(&d.packet.size)), 0}
	code := d.drv.call(fnLaunchKernel, d.kernels[op.kernel.name], uintptr(op.grid[0]), uintptr(op.grid[1]), 1,
		uintptr(op.threads), 1, 1, uintptr(op.shared), s.handle, 0, uintptr(unsafe.Pointer(&d.packet.extra)))
	if code == 0 {
		return nil
	}
	what := fmt.Sprintf("%s in %d x %d blocks of %d threads", op.kernel.name, op.grid[0], op.grid[1], op.threads)
	return d.drv.failure(code, fnLaunchKernel, what)
}

// A Graph is a list of work that the driver has taken in as a whole, so that starting it costs little.
type Graph struct {
	device *Device
	handle uintptr
	keep   []unsafe.Pointer
}

// Capture makes a graph of the work that r lists, without doing it. The stream has to be idle. The arguments are those of now:
// memory of the device and of the host must stay where it is.
func (s *Stream) Capture(r *Recorder) (*Graph, error) {
	if r.err != nil {
		return nil, r.err
	}
	g := &Graph{device: s.device}
	err := s.device.do(func() (err error) {
		if err = s.device.prepare(r); err != nil {
			return err
		}
		g.handle, err = s.capture(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range r.ops {
		if p := r.ops[i].host; p != nil {
			g.keep = append(g.keep, p)
		}
	}
	return g, nil
}

func (s *Stream) capture(r *Recorder) (exec uintptr, err error) {
	const threadLocal = 1
	drv := s.device.drv
	if err := drv.try(fnStreamBeginCapture, s.handle, threadLocal); err != nil {
		return 0, err
	}
	failed := s.submit(r)
	var graph uintptr
	err = drv.try(fnStreamEndCapture, s.handle, uintptr(unsafe.Pointer(&graph)))
	if failed != nil {
		err = failed
	}
	if err != nil {
		return 0, err
	}
	exec, err = s.device.create(fnGraphInstantiate, fnGraphExecDestroy, fmt.Sprintf("%d pieces of work", len(r.ops)), graph, 0)
	if destroyed := drv.try(fnGraphDestroy, graph); err == nil {
		err = destroyed
	}
	return exec, err
}

// Replay starts the work of a graph.
func (s *Stream) Replay(g *Graph) error {
	return s.device.do(func() error { return s.device.drv.try(fnGraphLaunch, g.handle, s.handle) })
}

// Free frees the stream, after all its work is done.
func (s *Stream) Free() error {
	if err := s.Sync(); err != nil {
		return err
	}
	return s.device.drop(fnStreamDestroy, s.handle)
}

// Free frees the graph.
func (g *Graph) Free() error { return g.device.drop(fnGraphExecDestroy, g.handle) }

// An Event is a moment in the work of a stream, see Mark.
type Event struct {
	device *Device
	handle uintptr
}

// NewEvent returns an event. Close of the device frees it.
func (d *Device) NewEvent() (*Event, error) {
	const blockingSync = 1 // who waits for it leaves the core to others
	handle, err := d.make(fnEventCreate, fnEventDestroy, "an event", blockingSync)
	if err != nil {
		return nil, err
	}
	return &Event{d, handle}, nil
}

// Wait waits on the host until the event, as it was marked last, has happened; one that was never marked has.
func (e *Event) Wait() error {
	return e.device.do(func() error { return e.device.drv.try(fnEventSynchronize, e.handle) })
}

// Free frees the event.
func (e *Event) Free() error { return e.device.drop(fnEventDestroy, e.handle) }

// Since returns the time between two events that have happened.
func (e *Event) Since(earlier *Event) (time.Duration, error) {
	var ms float32
	err := e.device.do(func() error {
		return e.device.drv.try(fnEventElapsedTime, uintptr(unsafe.Pointer(&ms)), earlier.handle, e.handle)
	})
	return time.Duration(float64(ms) * float64(time.Millisecond)), err
}
