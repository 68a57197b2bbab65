package cuda

import (
	"fmt"
	"unsafe"
)

// alignment is that of every slice of an arena: a line of the GPU's cache, twice.
const alignment = 256

// An Arena is a piece of the device's memory from which slices are taken. It is for one goroutine at a time.
type Arena struct {
	device      *Device
	base        uint64
	bytes, used int
}

// NewArena allocates so many bytes; what they hold is undefined.
func (d *Device) NewArena(bytes int) (*Arena, error) {
	if bytes < 0 {
		return nil, fmt.Errorf("cuda: NewArena: %d bytes", bytes)
	}
	a := &Arena{device: d, bytes: bytes}
	if bytes == 0 {
		return a, nil
	}
	base, err := d.make(fnMemAlloc, fnMemFree, fmt.Sprintf("%d bytes", bytes), uintptr(bytes))
	if err != nil {
		return nil, d.withFree(err)
	}
	a.base = uint64(base)
	return a, nil
}

// withFree adds to an error that speaks of memory how much there is.
func (d *Device) withFree(err error) error {
	e, ok := err.(*Error) //nolint:errorlint // made by make, not wrapped
	if !ok || e.Result != OutOfMemory {
		return err
	}
	if free, total, err := d.FreeMemory(); err == nil {
		e.Detail = fmt.Sprintf("%d of %d bytes are free", free, total)
	}
	return e
}

// FreeMemory returns how many bytes of the device's memory nobody has, and how many there are.
func (d *Device) FreeMemory() (free, total int, err error) {
	var f, t uint64
	err = d.do(func() error { return d.drv.try(fnMemGetInfo, uintptr(unsafe.Pointer(&f)), uintptr(unsafe.Pointer(&t))) })
	return int(f), int(t), err
}

// Free gives the memory back, after all work that was started is done. No slice of the arena may be used afterwards.
func (a *Arena) Free() error {
	if a.base == 0 {
		return nil
	}
	base := a.base
	*a = Arena{device: a.device}
	return a.device.drop(fnMemFree, uintptr(base))
}

// Bytes returns how much memory the arena has.
func (a *Arena) Bytes() int { return a.bytes }

// Used returns how many bytes have been taken.
func (a *Arena) Used() int { return a.used }

// Reset takes back all slices but those in the first so many bytes: those taken when Used returned that number.
func (a *Arena) Reset(used int) { a.used = min(max(used, 0), a.used) }

// Take takes n numbers. It fails when the arena has too few left.
func Take[T Number](a *Arena, n int) (Slice[T], error) {
	s, err := At[T](a, a.used, n)
	if err != nil {
		return s, err
	}
	a.used = min(a.bytes, a.used+Room[T](n))
	return s, nil
}

// Room returns how many bytes Take takes for n numbers.
func Room[T Number](n int) int {
	return (n*int(size[T]()) + alignment - 1) / alignment * alignment
}

// At returns n numbers that begin so many bytes, a multiple of the size of one, after the beginning of the arena, whether taken
// or not: for callers that lay out memory themselves.
func At[T Number](a *Arena, bytes, n int) (Slice[T], error) {
	each := int(size[T]())
	if bytes < 0 || n < 0 || bytes%each != 0 || bytes > a.bytes || n > (a.bytes-bytes)/each {
		return Slice[T]{}, fmt.Errorf("cuda: %d numbers of %d bytes at byte %d of an arena of %d; make a larger one", n, each, bytes, a.bytes)
	}
	return Slice[T]{a.base + uint64(bytes), n}, nil
}
