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

// prepare loads what the work of r needs and is not loaded yet. The driver compiles PTX when it loads it, which takes some
// tenths of a second for each file, so only those in use are loaded. The owner calls it.
func (d *Device) prepare(r *Recorder) error {
	for i := range r.ops {
		op := &r.ops[i]
		if op.kind != opLaunch || d.kernels[op.kernel.name] != 0 {
			continue
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
	var fn uintptr
	name := append([]byte(k.name), 0)
	if r := d.drv.call(fnModuleGetFunction, uintptr(unsafe.Pointer(&fn)), module, uintptr(unsafe.Pointer(&name[0]))); r != 0 {
		return d.drv.failure(r, fnModuleGetFunction, k.name)
	}
	d.kernels[k.name] = fn
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
