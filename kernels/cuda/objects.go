package cuda

import (
	"fmt"
	"unsafe"
)

// object is something that the driver made, with the function that destroys it.
type object struct {
	destroy symbol
	handle  uintptr
}

// destruction is the order in which objects that are left are destroyed.
var destruction = []symbol{fnStreamDestroy, fnGraphExecDestroy, fnEventDestroy, fnMemFree, fnMemFreeHost, fnModuleUnload}

// make has the owner call a function that stores a handle at its first argument, and remembers what destroys it.
func (d *Device) make(create, destroy symbol, what string, args ...uintptr) (handle uintptr, err error) {
	err = d.do(func() error {
		handle, err = d.create(create, destroy, what, args...)
		return err
	})
	return handle, err
}

// create is make for the owner. There are one or two arguments.
func (d *Device) create(create, destroy symbol, what string, args ...uintptr) (uintptr, error) {
	var handle uintptr
	var r Result
	if len(args) == 1 {
		r = d.drv.call(create, uintptr(unsafe.Pointer(&handle)), args[0])
	} else {
		r = d.drv.call(create, uintptr(unsafe.Pointer(&handle)), args[0], args[1])
	}
	if r != 0 {
		return 0, d.drv.failure(r, create, what)
	}
	d.owned[object{destroy, handle}] = struct{}{}
	return handle, nil
}

// drop destroys what make made.
func (d *Device) drop(destroy symbol, handle uintptr) error {
	return d.do(func() error {
		o := object{destroy, handle}
		if _, ok := d.owned[o]; !ok {
			return fmt.Errorf("cuda: %s: freed twice, or not of this device", symbolNames[destroy])
		}
		delete(d.owned, o)
		return d.drv.try(destroy, handle)
	})
}

// release destroys everything, and returns the first thing that went wrong.
func (d *Device) release() error {
	var first error
	note := func(err error) {
		if first == nil {
			first = err
		}
	}
	for _, destroy := range destruction {
		for o := range d.owned {
			if o.destroy != destroy {
				continue
			}
			if destroy == fnStreamDestroy {
				note(d.drv.try(fnStreamSynchronize, o.handle))
			}
			note(d.drv.try(destroy, o.handle))
		}
	}
	clear(d.owned)
	note(d.drv.try(fnPrimaryCtxRelease, uintptr(d.handle)))
	return first
}
