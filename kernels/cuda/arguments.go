package cuda

import (
	"encoding/binary"
	"math"

	"github.com/fedlam/fedlam/kernels"
)

// The arguments of a kernel lie one after the other, each at a multiple of its size. They are recorded in their order, then
// the launch.

func (r *Recorder) align(n int) {
	for (len(r.args)-r.from)%n != 0 {
		r.args = append(r.args, 0)
	}
}

// wide adds addresses and other numbers of 64 bits.
func (r *Recorder) wide(v ...uint64) {
	r.align(8)
	for _, x := range v {
		r.args = binary.LittleEndian.AppendUint64(r.args, x)
	}
}

// long adds numbers that are int64 in the kernel.
func (r *Recorder) long(v ...int) {
	r.align(8)
	for _, x := range v {
		r.args = binary.LittleEndian.AppendUint64(r.args, uint64(x))
	}
}

// ints adds numbers that are int32 in the kernel.
func (r *Recorder) ints(v ...int) {
	r.align(4)
	for _, x := range v {
		if x != int(int32(x)) {
			r.fail("%d: sizes beyond 2^31 are not supported; use smaller batches", x)
		}
		r.args = binary.LittleEndian.AppendUint32(r.args, uint32(x))
	}
}

// float adds a number of the element type of the kernel.
func float[F kernels.Float](r *Recorder, x F) {
	if size[F]() == 4 {
		r.align(4)
		r.args = binary.LittleEndian.AppendUint32(r.args, math.Float32bits(float32(x)))
		return
	}
	double(r, float64(x))
}

func double(r *Recorder, x float64) {
	r.align(8)
	r.args = binary.LittleEndian.AppendUint64(r.args, math.Float64bits(x))
}
