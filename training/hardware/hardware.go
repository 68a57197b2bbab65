// Package hardware chooses where models run: on the processor, or on a GPU of this machine.
//
//	place, err := hardware.Choice("auto").Open(0)
//	defer place.Close()
//	log.Print(place.Notice)
//	evaluator, err := dpa2.NewEvaluatorAt(model, dpa2.Float32, place.Place)
package hardware

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/training/dpa2"
)

// LibraryVariable is the environment variable that names the driver's library, for systems that have it in an unusual place.
const LibraryVariable = "FEDLAM_CUDA_LIBRARY"

// A Choice is what a user asks for: "auto", the first GPU if there is one and else the processor; "cpu"; "cuda", the first GPU; "cuda:N", GPU
// number N as nvidia-smi -L counts; or "cuda:N,M", which share the batches of a training. The zero Choice is "auto".
type Choice string

// Choices without a number.
const (
	Auto Choice = "auto"
	CPU  Choice = "cpu"
	CUDA Choice = "cuda"
)

// UnmarshalText reads a choice.
func (c *Choice) UnmarshalText(text []byte) error {
	v := Choice(text)
	if _, _, err := v.parse(); err != nil {
		return err
	}
	*c = v
	return nil
}

// parse returns the numbers of the GPUs, none for the processor, and whether it may be the processor all the same.
func (c Choice) parse() (gpus []int, auto bool, err error) {
	switch c {
	case Auto, "":
		return []int{0}, true, nil
	case CPU:
		return nil, false, nil
	case CUDA:
		return []int{0}, false, nil
	}
	numbers, ok := strings.CutPrefix(string(c), string(CUDA)+":")
	for _, text := range strings.Split(numbers, ",") {
		n, err := strconv.Atoi(text)
		if !ok || err != nil || n < 0 || slices.Contains(gpus, n) {
			return nil, false, fmt.Errorf("device %q is unknown; want auto, cpu, cuda, cuda:N with the number of a GPU as nvidia-smi -L lists them, or cuda:N,M for several", string(c))
		}
		gpus = append(gpus, n)
	}
	return gpus, false, nil
}

// A Place is a place to compute that is open.
type Place struct {
	dpa2.Place
	Notice string // for the user: what it is, and why no GPU where one might have been expected
	Broken bool   // there is a driver, and yet no GPU can be used
}

// Open opens the place, with so many threads of the processor, 0 for all cores. On a GPU these prepare batches.
// A GPU that was asked for and cannot be had is an error; with "auto" it is a Notice.
func (c Choice) Open(threads int) (*Place, error) {
	gpus, auto, err := c.parse()
	if err != nil {
		return nil, err
	}
	p := &Place{Place: dpa2.Place{Threads: threads}}
	if len(gpus) == 0 {
		p.Notice = p.processor()
		return p, nil
	}
	err = p.open(gpus)
	switch {
	case err == nil:
	case !auto:
		return nil, fmt.Errorf("device %q: %w", string(c), err)
	case errors.Is(err, cuda.ErrNoDriver):
		p.Notice = p.processor() + "; no driver of an NVIDIA GPU was found"
	default:
		p.Notice, p.Broken = fmt.Sprintf("%s; the GPU cannot be used: %v", p.processor(), err), true
	}
	return p, nil
}

// open opens all GPUs, or none.
func (p *Place) open(gpus []int) error {
	var names []string
	for k, gpu := range gpus {
		device, err := cuda.Open(cuda.Config{Library: os.Getenv(LibraryVariable), Ordinal: gpu})
		if err != nil {
			err = errors.Join(err, p.Close())
			p.Device, p.More = nil, nil
			return err
		}
		if k == 0 {
			p.Device = device
		} else {
			p.More = append(p.More, device)
		}
		names = append(names, device.Info().String())
	}
	p.Notice = "computing on " + strings.Join(names, " and ")
	return nil
}

func (p *Place) processor() string {
	threads := p.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return fmt.Sprintf("computing on the processor, %d threads, %s", threads, kernels.Path())
}

// Close gives the GPUs back, with all memory that was taken there. There is nothing to close on a processor.
func (p *Place) Close() error {
	if p.Device == nil {
		return nil
	}
	failed := []error{p.Device.Close()}
	for _, d := range p.More {
		failed = append(failed, d.Close())
	}
	return errors.Join(failed...)
}
