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

// Sync waits until all work is done. Other goroutines may use the device meanwhile.
func (s *Stream) Sync() error { return s.device.poll(fnStreamQuery, s.handle, s.forget) }

// Done reports whether all work is done, without waiting.
func (s *Stream) Done() (bool, error) { return s.device.ask(fnStreamQuery, s.handle, s.forget) }

// forget lets go of the memory that copies used. The owner calls it.
func (s *Stream) forget() {
	clear(s.keep)
	s.keep = s.keep[:0]
}

// Free frees the stream, after all its work is done.
func (s *Stream) Free() error {
	if err := s.Sync(); err != nil {
		return err
	}
	return s.device.drop(fnStreamDestroy, s.handle)
}

// Who waits asks again at once for some tenths of a millisecond, and then leaves the processor to others.
const (
	eagerly   = 20 // times
	patiently = 50 * time.Microsecond
)

// poll asks a stream or an event until it is done.
func (d *Device) poll(query symbol, handle uintptr, done func()) error {
	for asked := 0; ; asked++ {
		if is, err := d.ask(query, handle, done); is || err != nil {
			return err
		}
		if asked < eagerly {
			runtime.Gosched()
		} else {
			time.Sleep(patiently)
		}
	}
}

// ask asks a stream or an event whether it is done. If so the owner calls done, unless it is nil.
func (d *Device) ask(query symbol, handle uintptr, done func()) (is bool, err error) {
	err = d.do(func() error {
		r := d.drv.call(query, handle)
		if is = r != NotReady; !is {
			return nil
		}
		if done != nil {
			done()
		}
		return d.drv.failure(r, query, "")
	})
	return is, err
}

// launchPacket is what the driver is told at a launch: the arguments of its function, and where those of the kernel lie. Being
// part of a Device it stays where it is, so a launch allocates nothing.
type launchPacket struct {
	call  [11]uintptr
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
		if s.device.emits(op) {
			return s.launch(r, &r.emitted[op.emitted-1].launching)
		}
		return s.launch(r, &op.launching)
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

func (s *Stream) launch(r *Recorder, op *launching) error {
	d := s.device
	d.packet.size = uintptr(op.size)
	d.packet.extra = [5]uintptr{tagBuffer, uintptr(unsafe.Pointer(unsafe.SliceData(r.args))) + uintptr(op.at),
		tagSize, uintptr(unsafe.Pointer(&d.packet.size)), 0}
	d.packet.call = [11]uintptr{d.kernels[op.kernel.name], uintptr(op.grid[0]), uintptr(op.grid[1]), 1,
		uintptr(op.threads), 1, 1, uintptr(op.shared), s.handle, 0, uintptr(unsafe.Pointer(&d.packet.extra))}
	code := Result(int32(syscallN(d.drv.at[fnLaunchKernel], d.packet.call[:]...)))
	if code == 0 {
		return nil
	}
	what := fmt.Sprintf("%s in %d x %d blocks of %d threads", op.kernel.name, op.grid[0], op.grid[1], op.threads)
	return d.drv.failure(code, fnLaunchKernel, what)
}
