package cuda

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"unsafe"
)

//go:embed ptx/*.ptx.gz
var ptxFiles embed.FS

// prepare loads what the work of r needs and is not loaded yet: code of tiles first, as what is refused there is interpreted. The driver compiles PTX when it loads it, which takes some
// tenths of a second for each file, so only those in use are loaded. The owner calls it.
func (d *Device) prepare(r *Recorder) error {
	d.prepareTiles(r)
	for i := range r.ops {
		op := &r.ops[i]
		if op.kind != opLaunch || d.emits(op) || d.kernels[op.kernel.name] != 0 {
			continue
		}
		if op.limits != nil {
			return op.limits
		}
		if err := d.findKernel(op.kernel); err != nil {
			return err
		}
	}
	return nil
}

func (d *Device) findKernel(k kernel) error {
	module, err := d.loadModule(k.module)
	if err != nil {
		return err
	}
	return d.findIn(module, k.name)
}

// findIn finds a kernel of a module.
func (d *Device) findIn(module uintptr, kernel string) error {
	var fn uintptr
	name := append([]byte(kernel), 0)
	if r := d.drv.call(fnModuleGetFunction, uintptr(unsafe.Pointer(&fn)), module, uintptr(unsafe.Pointer(&name[0]))); r != 0 {
		return d.drv.failure(r, fnModuleGetFunction, kernel)
	}
	d.kernels[kernel] = fn
	return nil
}

func (d *Device) loadModule(name string) (uintptr, error) {
	if m, ok := d.modules[name]; ok {
		return m, nil
	}
	if err := d.needsNewer(name); err != nil {
		return 0, err
	}
	text, err := ptx(name)
	if err != nil {
		return 0, err
	}
	m, err := d.loadText(name, text)
	if err == nil {
		d.modules[name] = m
	}
	return m, err
}

// Options of cuModuleLoadDataEx: where it is to say what is wrong, and how many bytes there are for that.
const (
	jitErrorLog      = 5
	jitErrorLogBytes = 6
)

// loadText loads a module from PTX with a zero at its end.
func (d *Device) loadText(name string, text []byte) (uintptr, error) {
	var m uintptr
	var pin runtime.Pinner
	defer pin.Unpin()
	log := make([]byte, 4<<10)
	pin.Pin(&log[0])
	options := [...]int32{jitErrorLog, jitErrorLogBytes}
	values := [...]uintptr{uintptr(unsafe.Pointer(&log[0])), uintptr(len(log) - 1)}
	r := d.drv.call(fnModuleLoadDataEx, uintptr(unsafe.Pointer(&m)), uintptr(unsafe.Pointer(&text[0])),
		uintptr(len(options)), uintptr(unsafe.Pointer(&options[0])), uintptr(unsafe.Pointer(&values[0])))
	if err := d.drv.failure(r, fnModuleLoadDataEx, name); err != nil {
		said, _, _ := bytes.Cut(log, []byte{0})
		var e *Error
		if errors.As(err, &e) && len(said) > 0 {
			e.Detail += ": " + strings.TrimSpace(string(said))
		}
		return 0, err
	}
	d.owned[object{fnModuleUnload, m}] = struct{}{}
	return m, nil
}

// ptx returns a file of kernels, with a zero at its end.
func ptx(name string) ([]byte, error) {
	f, err := ptxFiles.Open("ptx/" + name + ".ptx.gz")
	if err != nil {
		return nil, fmt.Errorf("cuda: kernels %q: %w", name, err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("cuda: kernels %q: %w", name, err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("cuda: kernels %q: %w", name, err)
	}
	return append(text, 0), nil
}
