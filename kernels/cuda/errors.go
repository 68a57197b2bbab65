package cuda

import (
	"errors"
	"fmt"
)

// ErrNoDriver says that there is no NVIDIA driver, or that this program is built without support for one.
var ErrNoDriver = errors.New("no NVIDIA driver")

// ErrClosed says that a Device has been closed, or has met an error that leaves it unusable.
var ErrClosed = errors.New("the device is closed")

// Result is the number that a function of the driver returns; 0 is success.
type Result int32

// Results that the package treats in ways of their own.
const (
	OutOfMemory    Result = 2
	NoDevice       Result = 100
	InvalidDevice  Result = 101
	InvalidPTX     Result = 218
	NotReady       Result = 600
	IllegalAddress Result = 700
)

// results names results as the driver's documentation does, and says what to do.
var results = map[Result][2]string{
	1:              {"INVALID_VALUE", "please report this"},
	OutOfMemory:    {"OUT_OF_MEMORY", "use smaller batches, or end other programs that use the GPU"},
	3:              {"NOT_INITIALIZED", "please report this"},
	34:             {"STUB_LIBRARY", "the library found is a stub for building programs; install the driver"},
	46:             {"DEVICE_UNAVAILABLE", "another program has the GPU for itself; end it or choose another GPU"},
	NoDevice:       {"NO_DEVICE", "the driver sees no GPU; see what nvidia-smi says"},
	InvalidDevice:  {"INVALID_DEVICE", "choose a GPU that nvidia-smi -L lists"},
	200:            {"INVALID_IMAGE", "please report this"},
	201:            {"INVALID_CONTEXT", "please report this"},
	209:            {"NO_BINARY_FOR_GPU", "the GPU is too old: compute capability 7.5 (Turing) is needed"},
	InvalidPTX:     {"INVALID_PTX", "compute capability 7.5 (Turing) is needed; if the GPU has that, please report this"},
	222:            {"UNSUPPORTED_PTX_VERSION", "update the NVIDIA driver"},
	400:            {"INVALID_HANDLE", "please report this"},
	500:            {"NOT_FOUND", "please report this"},
	NotReady:       {"NOT_READY", "wait for the stream first"},
	IllegalAddress: {"ILLEGAL_ADDRESS", "restart the program; if it comes again, please report it"},
	701:            {"LAUNCH_OUT_OF_RESOURCES", "please report this"},
	702:            {"LAUNCH_TIMEOUT", "the GPU also drives a display; use smaller batches"},
	719:            {"LAUNCH_FAILED", "restart the program; if it comes again, please report it"},
	802:            {"SYSTEM_NOT_READY", "start the services of the system that the GPU is part of (nvidia-fabricmanager)"},
	803:            {"SYSTEM_DRIVER_MISMATCH", "restart the machine: libraries and kernel module of the driver differ"},
	804:            {"COMPAT_NOT_SUPPORTED_ON_DEVICE", "update the NVIDIA driver"},
	999:            {"UNKNOWN", "see what nvidia-smi says, or restart the machine"},
}

// String returns the name in the driver's documentation.
func (r Result) String() string {
	if known, ok := results[r]; ok {
		return "CUDA_ERROR_" + known[0]
	}
	return fmt.Sprintf("CUDA error %d", int32(r))
}

// An Error is a call that the driver refused, or found to have failed earlier.
type Error struct {
	Call   string // the driver's function, and what it was asked for
	Result Result
	Detail string // in the driver's words, or figures; may be empty
}

func (e *Error) Error() string {
	text := fmt.Sprintf("cuda: %s: %v", e.Call, e.Result)
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	advice := "see the documentation of the CUDA driver"
	if known, ok := results[e.Result]; ok {
		advice = known[1]
	}
	return text + "; " + advice
}
