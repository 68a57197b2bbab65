package cuda

import (
	"fmt"
	"unsafe"
)

// Number is the set of types that memory may hold.
type Number interface {
	~float32 | ~float64 | ~int32 | ~uint8
}

// A Slice is a run of numbers in the memory of a device. Like a slice of Go it does not own them. The zero Slice is empty.
type Slice[T Number] struct {
	addr uint64
	n    int
}

// Len returns the number of numbers.
func (s Slice[T]) Len() int { return s.n }

// Cut returns numbers from to to, excluded. As with slices of Go, it panics for those outside.
func (s Slice[T]) Cut(from, to int) Slice[T] {
	if from < 0 || to < from || to > s.n {
		panic(fmt.Sprintf("cuda: Cut(%d, %d) of %d numbers", from, to, s.n))
	}
	return Slice[T]{s.addr + uint64(from)*size[T](), to - from}
}

// From returns the numbers from from on.
func (s Slice[T]) From(from int) Slice[T] { return s.Cut(from, s.n) }

// Ahead returns a slice whose number n+i is number i of s: as if n numbers were there before it. They are not, and a caller answers for it
// that nobody touches them.
func (s Slice[T]) Ahead(n int) Slice[T] { return Slice[T]{s.addr - uint64(n)*size[T](), s.n + n} }

// bytes returns how much memory the slice is.
func (s Slice[T]) bytes() uint64 { return uint64(s.n) * size[T]() }

func size[T Number]() uint64 {
	var zero T
	return uint64(unsafe.Sizeof(zero))
}

// NewHost returns n numbers in memory of the host that the device reads and writes itself, which makes copies fast and lets
// the host go on meanwhile. FreeHost or Close frees them.
func NewHost[T Number](d *Device, n int) ([]T, error) {
	if n <= 0 {
		return nil, nil
	}
	var p *T
	err := d.do(func() error {
		bytes := uintptr(n) * uintptr(size[T]())
		if r := d.drv.call(fnMemHostAlloc, uintptr(unsafe.Pointer(&p)), bytes, 0); r != 0 {
			return d.drv.failure(r, fnMemHostAlloc, fmt.Sprintf("%d bytes", bytes))
		}
		d.owned[object{fnMemFreeHost, uintptr(unsafe.Pointer(p))}] = struct{}{}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return unsafe.Slice(p, n), nil
}

// FreeHost frees what NewHost returned.
func FreeHost[T Number](d *Device, s []T) error {
	if len(s) == 0 {
		return nil
	}
	return d.drop(fnMemFreeHost, uintptr(unsafe.Pointer(&s[0])))
}
