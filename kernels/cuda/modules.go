package cuda

import (
	"compress/gzip"
	"embed"
	"fmt"
	"io"
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
	return d.loadText(name, text)
}

// loadText loads a module from PTX with a zero at its end.
func (d *Device) loadText(name string, text []byte) (uintptr, error) {
	var m uintptr
	if r := d.drv.call(fnModuleLoadData, uintptr(unsafe.Pointer(&m)), uintptr(unsafe.Pointer(&text[0]))); r != 0 {
		return 0, d.drv.failure(r, fnModuleLoadData, name)
	}
	d.owned[object{fnModuleUnload, m}] = struct{}{}
	d.modules[name] = m
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
