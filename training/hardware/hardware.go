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
	"strconv"
	"strings"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/training/dpa2"
)

// LibraryVariable is the environment variable that names the driver's library, for systems that have it in an unusual place.
const LibraryVariable = "FEDLAM_CUDA_LIBRARY"

// A Choice is what a user asks for: "auto", the first GPU if there is one and else the processor; "cpu"; "cuda", the first GPU; or
// "cuda:N", GPU number N as nvidia-smi -L counts. The zero Choice is "auto".
type Choice string

// Choices without a number.
const (
	Auto Choice = "auto"
	CPU  Choice = "cpu"
	CUDA Choice = "cuda"
)

// Help is what a flag of this type says.
const Help = `Where to compute: auto (a GPU if there is one), cpu, cuda or cuda:N.`

// UnmarshalText reads a choice.
func (c *Choice) UnmarshalText(text []byte) error {
	v := Choice(text)
	if _, _, err := v.parse(); err != nil {
		return err
	}
	*c = v
	return nil
}

// parse returns the number of the GPU, or -1 for the processor, and whether it may be the processor all the same.
func (c Choice) parse() (gpu int, auto bool, err error) {
	switch c {
	case Auto, "":
		return 0, true, nil
	case CPU:
		return -1, false, nil
	case CUDA:
		return 0, false, nil
	}
	number, ok := strings.CutPrefix(string(c), string(CUDA)+":")
	gpu, err = strconv.Atoi(number)
	if !ok || err != nil || gpu < 0 {
		return 0, false, fmt.Errorf("device %q is unknown; want auto, cpu, cuda or cuda:N with the number of a GPU as nvidia-smi -L lists them", string(c))
	}
	return gpu, false, nil
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
	gpu, auto, err := c.parse()
	if err != nil {
		return nil, err
	}
	p := &Place{Place: dpa2.Place{Threads: threads}}
	if gpu < 0 {
		p.Notice = p.processor()
		return p, nil
	}
	device, err := cuda.Open(cuda.Config{Library: os.Getenv(LibraryVariable), Ordinal: gpu})
	switch {
	case err == nil:
		p.Device, p.Notice = device, "computing on "+device.Info().String()
	case !auto:
		return nil, fmt.Errorf("device %q: %w", string(c), err)
	case errors.Is(err, cuda.ErrNoDriver):
		p.Notice = p.processor() + "; no driver of an NVIDIA GPU was found"
	default:
		p.Notice, p.Broken = fmt.Sprintf("%s; the GPU cannot be used: %v", p.processor(), err), true
	}
	return p, nil
}

func (p *Place) processor() string {
	threads := p.Threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	return fmt.Sprintf("computing on the processor, %d threads, %s", threads, kernels.Path())
}

// Close gives the GPU back, with all memory that was taken there. There is nothing to close on a processor.
func (p *Place) Close() error {
	if p.Device == nil {
		return nil
	}
	return p.Device.Close()
}
