package cuda

import (
	"time"
	"unsafe"
)

// An Event is a moment in the work of a stream, see Mark.
type Event struct {
	device *Device
	handle uintptr
}

// NewEvent returns an event. Close of the device frees it.
func (d *Device) NewEvent() (*Event, error) {
	handle, err := d.make(fnEventCreate, fnEventDestroy, "an event", 0)
	if err != nil {
		return nil, err
	}
	return &Event{d, handle}, nil
}

// Wait waits on the host until the event, as it was marked last, has happened; one that was never marked has. Other goroutines may use
// the device meanwhile.
func (e *Event) Wait() error {
	return e.device.poll(fnEventQuery, e.handle, nil)
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
