package cuda

import (
	"fmt"
	"unsafe"
)

// symbol is a function of the driver.
type symbol int

const (
	fnInit symbol = iota
	fnDriverGetVersion
	fnDeviceGetCount
	fnDeviceGet
	fnDeviceGetName
	fnDeviceGetAttribute
	fnDeviceTotalMem
	fnPrimaryCtxRetain
	fnPrimaryCtxRelease
	fnCtxSetCurrent
	fnMemGetInfo
	fnMemAlloc
	fnMemFree
	fnMemHostAlloc
	fnMemFreeHost
	fnMemcpyHtoDAsync
	fnMemcpyDtoHAsync
	fnMemcpyDtoDAsync
	fnMemsetD8Async
	fnModuleLoadDataEx
	fnModuleUnload
	fnModuleGetFunction
	fnLaunchKernel
	fnStreamCreate
	fnStreamDestroy
	fnStreamSynchronize
	fnStreamQuery
	fnStreamBeginCapture
	fnStreamEndCapture
	fnGraphInstantiate
	fnGraphLaunch
	fnGraphDestroy
	fnGraphExecDestroy
	fnEventCreate
	fnEventDestroy
	fnEventRecord
	fnEventQuery
	fnStreamWaitEvent
	fnEventElapsedTime
	fnGetErrorString
	numSymbols
)

// symbolNames are the names in the library; what ends in _v2 is how the functions have been called since sizes have 64 bits.
var symbolNames = [numSymbols]string{
	"cuInit", "cuDriverGetVersion", "cuDeviceGetCount", "cuDeviceGet", "cuDeviceGetName", "cuDeviceGetAttribute",
	"cuDeviceTotalMem_v2", "cuDevicePrimaryCtxRetain", "cuDevicePrimaryCtxRelease_v2", "cuCtxSetCurrent", "cuMemGetInfo_v2",
	"cuMemAlloc_v2", "cuMemFree_v2", "cuMemHostAlloc", "cuMemFreeHost", "cuMemcpyHtoDAsync_v2", "cuMemcpyDtoHAsync_v2",
	"cuMemcpyDtoDAsync_v2", "cuMemsetD8Async", "cuModuleLoadDataEx", "cuModuleUnload", "cuModuleGetFunction", "cuLaunchKernel",
	"cuStreamCreate", "cuStreamDestroy_v2", "cuStreamSynchronize", "cuStreamQuery", "cuStreamBeginCapture_v2", "cuStreamEndCapture",
	"cuGraphInstantiateWithFlags", "cuGraphLaunch", "cuGraphDestroy", "cuGraphExecDestroy", "cuEventCreate",
	"cuEventDestroy_v2", "cuEventRecord", "cuEventQuery", "cuStreamWaitEvent", "cuEventElapsedTime", "cuGetErrorString",
}

// driver is the library, loaded. Its functions, but for those that ask about devices, want the thread to have a context.
type driver struct{ at [numSymbols]uintptr }

// call calls a function of the driver. Arguments are numbers, handles and addresses; none of the functions in use takes
// floating-point numbers.
//
//go:uintptrescapes
func (d *driver) call(fn symbol, args ...uintptr) Result {
	return Result(int32(syscallN(d.at[fn], args...)))
}

// try is call with its result made an error.
//
//go:uintptrescapes
func (d *driver) try(fn symbol, args ...uintptr) error {
	return d.failure(d.call(fn, args...), fn, "")
}

// failure makes an error of a result; nil of success. what says what the function was asked for.
func (d *driver) failure(r Result, fn symbol, what string) error {
	if r == 0 {
		return nil
	}
	e := &Error{Call: symbolNames[fn], Result: r}
	if what != "" {
		e.Call += " of " + what
	}
	var text *byte // of the library
	if d.call(fnGetErrorString, uintptr(r), uintptr(unsafe.Pointer(&text))) == 0 && text != nil {
		e.Detail = cString(text)
	}
	return e
}

// cString copies text of the library, at most so much that text without an end does no harm.
func cString(p *byte) string {
	const most = 1 << 10
	n := 0
	for n < most && *(*byte)(unsafe.Add(unsafe.Pointer(p), n)) != 0 {
		n++
	}
	return string(unsafe.Slice(p, n))
}

// resolve looks up all functions.
func (d *driver) resolve(library string, find func(name string) (uintptr, error)) error {
	for s, name := range symbolNames {
		at, err := find(name)
		if err != nil || at == 0 {
			return fmt.Errorf("%w: %s has no function %s: it is no driver, or one older than CUDA 11.4; update it",
				ErrNoDriver, library, name)
		}
		d.at[s] = at
	}
	return nil
}
