package cuda

import (
	"bytes"
	"fmt"
	"runtime"
	"unsafe"
)

// Config says which device to open.
type Config struct {
	Library string // the driver; "" for the one that is installed
	Ordinal int    // number of the GPU as nvidia-smi -L lists them; default 0
	Tiles   Tiles  // how tiles are done; "" for what the environment variable FEDLAM_CUDA_TILES says, or Emit if it says nothing
}

func (c *Config) validate() error {
	if c.Ordinal < 0 {
		return fmt.Errorf("cuda: GPU %d: numbers begin with 0; see nvidia-smi -L", c.Ordinal)
	}
	return c.Tiles.validate()
}

// Info describes a device.
type Info struct {
	Name            string
	Major, Minor    int // compute capability
	Memory          int // bytes
	Multiprocessors int
	Driver          int // 1000*major + 10*minor of the newest CUDA that the driver knows
}

// String says what a user wants to read.
func (i Info) String() string {
	return fmt.Sprintf("%s, %.1f GB, compute capability %d.%d, driver for CUDA %d.%d",
		i.Name, float64(i.Memory)/1e9, i.Major, i.Minor, i.Driver/1000, i.Driver%1000/10)
}

// A Device is an opened GPU. All its methods may be called from any goroutine.
type Device struct {
	info Info
	drv  *driver
	jobs chan job
	gone chan struct{} // closed when the owner has ended

	// What follows belongs to the owner, the goroutine that makes all calls.
	handle  int32
	owned   map[object]struct{}
	modules map[string]uintptr
	kernels map[string]uintptr
	packet  launchPacket
	tiles   Tiles
	refusal error // of code for tiles
}

// job is something that the owner does.
type job struct {
	do   func() error
	done chan error
	last bool
}

// Open loads the driver and makes a device ready. The error is ErrNoDriver where there is none.
func Open(cfg Config) (*Device, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	drv, err := openLibrary(cfg.Library)
	if err != nil {
		return nil, fmt.Errorf("cuda: %w", err)
	}
	d := &Device{
		drv: drv, tiles: cfg.Tiles, jobs: make(chan job), gone: make(chan struct{}),
		owned: map[object]struct{}{}, modules: map[string]uintptr{}, kernels: map[string]uintptr{},
	}
	opened := make(chan error)
	go d.own(cfg.Ordinal, opened)
	if err := <-opened; err != nil {
		return nil, err
	}
	return d, nil
}

// Info describes the device.
func (d *Device) Info() Info { return d.info }

// Close ends all work, frees all memory and everything else that was made on the device, and waits for it.
func (d *Device) Close() error {
	return d.send(job{last: true, do: d.release})
}

// do has the owner call f, and waits for it.
func (d *Device) do(f func() error) error { return d.send(job{do: f}) }

func (d *Device) send(j job) error {
	j.done = make(chan error, 1)
	select {
	case d.jobs <- j:
		return <-j.done
	case <-d.gone:
		return fmt.Errorf("cuda: %w", ErrClosed)
	}
}

// own is the goroutine that makes all calls: a context belongs to a thread of the operating system. The thread ends with it.
func (d *Device) own(ordinal int, opened chan<- error) {
	defer close(d.gone)
	runtime.LockOSThread()
	err := d.start(ordinal)
	opened <- err
	if err != nil {
		return
	}
	for j := range d.jobs {
		j.done <- j.do()
		if j.last {
			return
		}
	}
}

// start makes the device's context current.
func (d *Device) start(ordinal int) error {
	if err := d.drv.try(fnInit, 0); err != nil {
		return err
	}
	var count int32
	if err := d.drv.try(fnDeviceGetCount, uintptr(unsafe.Pointer(&count))); err != nil {
		return err
	}
	if ordinal >= int(count) {
		return fmt.Errorf("cuda: GPU %d: the driver sees %d of them, numbered from 0; see nvidia-smi -L", ordinal, count)
	}
	if err := d.drv.try(fnDeviceGet, uintptr(unsafe.Pointer(&d.handle)), uintptr(ordinal)); err != nil {
		return err
	}
	if err := d.describe(); err != nil {
		return err
	}
	var context uintptr
	if err := d.drv.try(fnPrimaryCtxRetain, uintptr(unsafe.Pointer(&context)), uintptr(d.handle)); err != nil {
		return err
	}
	return d.drv.try(fnCtxSetCurrent, context)
}

// Attributes of devices.
const (
	attrMultiprocessors = 16
	attrMajor           = 75
	attrMinor           = 76
)

func (d *Device) describe() error {
	var name [256]byte
	var memory uint64
	var version int32
	if err := d.drv.try(fnDeviceGetName, uintptr(unsafe.Pointer(&name[0])), uintptr(len(name)-1), uintptr(d.handle)); err != nil {
		return err
	}
	if err := d.drv.try(fnDeviceTotalMem, uintptr(unsafe.Pointer(&memory)), uintptr(d.handle)); err != nil {
		return err
	}
	if err := d.drv.try(fnDriverGetVersion, uintptr(unsafe.Pointer(&version))); err != nil {
		return err
	}
	text, _, _ := bytes.Cut(name[:], []byte{0})
	d.info = Info{Name: string(text), Memory: int(memory), Driver: int(version)}
	for attribute, to := range map[int]*int{
		attrMultiprocessors: &d.info.Multiprocessors, attrMajor: &d.info.Major, attrMinor: &d.info.Minor,
	} {
		var v int32
		if err := d.drv.try(fnDeviceGetAttribute, uintptr(unsafe.Pointer(&v)), uintptr(attribute), uintptr(d.handle)); err != nil {
			return err
		}
		*to = int(v)
	}
	return nil
}
