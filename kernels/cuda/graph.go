package cuda

import (
	"fmt"
	"unsafe"
)

// A Graph is a list of work that the driver has taken in as a whole, so that starting it costs little.
type Graph struct {
	device *Device
	handle uintptr
	keep   []unsafe.Pointer
}

// Capture makes a graph of the work that r lists, without doing it. The stream has to be idle. The arguments are those of now:
// memory of the device must stay where it is, and that of the host should come from NewHost.
func (s *Stream) Capture(r *Recorder) (*Graph, error) {
	if r.err != nil {
		return nil, r.err
	}
	g := &Graph{device: s.device}
	err := s.device.do(func() (err error) {
		if err = s.device.prepare(r); err != nil {
			return err
		}
		g.handle, err = s.capture(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range r.ops {
		if p := r.ops[i].host; p != nil {
			g.keep = append(g.keep, p)
		}
	}
	return g, nil
}

func (s *Stream) capture(r *Recorder) (exec uintptr, err error) {
	const threadLocal = 1
	drv := s.device.drv
	if err := drv.try(fnStreamBeginCapture, s.handle, threadLocal); err != nil {
		return 0, err
	}
	failed := s.submit(r)
	var graph uintptr
	err = drv.try(fnStreamEndCapture, s.handle, uintptr(unsafe.Pointer(&graph)))
	if failed != nil {
		err = failed
	}
	if err != nil {
		return 0, err
	}
	exec, err = s.device.create(fnGraphInstantiate, fnGraphExecDestroy, fmt.Sprintf("%d pieces of work", len(r.ops)), graph, 0)
	if destroyed := drv.try(fnGraphDestroy, graph); err == nil {
		err = destroyed
	}
	return exec, err
}

// Replay starts the work of a graph.
func (s *Stream) Replay(g *Graph) error {
	return s.device.do(func() error { return s.device.drv.try(fnGraphLaunch, g.handle, s.handle) })
}

// Free frees the graph.
func (g *Graph) Free() error { return g.device.drop(fnGraphExecDestroy, g.handle) }
