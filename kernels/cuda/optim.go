package cuda

import (
	"encoding/binary"
	"math"

	"github.com/fedlam/fedlam/kernels"
)

var (
	gradSquaresKernel = kernels2("optim", "grad_squares")
	gradNormKernel    = kernels2("optim", "grad_norm")
	adamKernel        = kernels2("optim", "adam")
	loadParamsKernel  = kernels2("optim", "load_params")
)

const (
	optimThreads = 256
	optimChunk   = 2048 // numbers of a block
)

// A Tensor is one parameter of a model in the memory of a device, with what an optimiser keeps of it. All slices have the same
// length; those that the work at hand does not use may be empty.
type Tensor[F kernels.Float] struct {
	Value  Slice[float64] // the parameter itself
	M1, M2 Slice[float64] // running means of the gradient and of its square
	Param  Slice[F]       // where a program reads the parameter; empty if none does
	Grad   Slice[F]
	Rate   float64 // lr/(1 − β1^t), where t counts the steps of this tensor
	Root   float64 // √(1 − β2^t)
}

// Tensors is a table of tensors in the memory of a device: one launch does something to all of them.
type Tensors[F kernels.Float] struct {
	table, pieces uint64
	blocks        int
	moves         bool // every tensor has moments and a gradient
}

// tensorBytes is the size of a Tensor in the table, as optim.cu has it.
const tensorBytes = 64

// TensorBlocks returns how many blocks work on a tensor of n numbers.
func TensorBlocks(n int) int { return (n + optimChunk - 1) / optimChunk }

// TensorsRoom returns how many bytes a table of so many tensors with so many blocks together needs.
func TensorsRoom(tensors, blocks int) int { return tensorBytes*tensors + 8*blocks }

// UploadTensors lays a table out in host and copies it to memory; both need TensorsRoom bytes. As with Upload, host may not be
// changed before the stream is waited for.
func UploadTensors[F kernels.Float](r *Recorder, memory Slice[uint8], host []uint8, list []Tensor[F]) Tensors[F] {
	t := Tensors[F]{table: memory.addr, pieces: memory.addr + uint64(tensorBytes*len(list)), moves: true}
	for i := range list {
		t.blocks += TensorBlocks(list[i].Value.n)
		t.moves = list[i].check(r) && t.moves
	}
	bytes := TensorsRoom(len(list), t.blocks)
	need(r, "UploadTensors", "memory", memory, bytes)
	if len(host) < bytes {
		r.fail("UploadTensors: host has %d bytes, needs %d", len(host), bytes)
	}
	if r.err != nil {
		return t
	}
	table := host[:0]
	for i := range list {
		table = list[i].appendTo(table)
	}
	for i := range list {
		for c := range TensorBlocks(list[i].Value.n) {
			table = binary.LittleEndian.AppendUint32(table, uint32(i))
			table = binary.LittleEndian.AppendUint32(table, uint32(c))
		}
	}
	Upload(r, memory, table)
	return t
}

// check makes the list invalid if lengths differ, and reports whether an optimiser can move the tensor.
func (t *Tensor[F]) check(r *Recorder) (moves bool) {
	n := t.Value.n
	for _, have := range []int{t.M1.n, t.M2.n, t.Param.n, t.Grad.n} {
		if have != 0 && have != n {
			r.fail("UploadTensors: a tensor of %d numbers has something of %d", n, have)
		}
	}
	return t.M1.n == n && t.M2.n == n && t.Grad.n == n
}

func (t *Tensor[F]) appendTo(b []byte) []byte {
	var param uint64
	if t.Param.n > 0 {
		param = t.Param.addr
	}
	for _, v := range []uint64{t.Value.addr, t.M1.addr, t.M2.addr, param, t.Grad.addr, uint64(t.Value.n),
		math.Float64bits(t.Rate), math.Float64bits(t.Root)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// An OptimState is what the steps of an optimiser leave in four numbers of the device, which begin as zeros.
type OptimState struct {
	Norm   float64 // of the gradient of the last step, over all tensors, before clipping
	Factor float64 // that the last step's gradient was multiplied by
	Failed int     // number of the first step whose loss or gradient was not finite, 0 if there was none
	Loss   bool    // it was the loss
}

// OptimStateLen is how many numbers hold an OptimState.
const OptimStateLen = 4

// ParseOptimState reads what has been downloaded.
func ParseOptimState(v []float64) OptimState {
	return OptimState{Norm: v[0], Factor: v[1], Failed: int(v[2]), Loss: v[3] == 1}
}

// GradNorm sets state's norm to the L2 norm over the gradients of all tensors and its factor to
// min(1, maxNorm/(norm + 1e-6)), or 1 where maxNorm is not positive. If the norm or the first number of loss, which may be
// empty, is not finite, state remembers the number of the step, which is positive. A state with a failed step stays as it is.
// scratch needs a number for each block.
func GradNorm[F kernels.Float](r *Recorder, state Slice[float64], t Tensors[F], loss Slice[F], maxNorm float64, step int, scratch Slice[float64]) {
	t.need(r, "GradNorm")
	need(r, "GradNorm", "state", state, OptimStateLen)
	need(r, "GradNorm", "scratch", scratch, t.blocks)
	r.wide(scratch.addr, t.table, t.pieces)
	r.launch(of[F](gradSquaresKernel), t.blocks, 1, optimThreads, 0)
	var lossAt uint64
	if loss.n > 0 {
		lossAt = loss.addr
	}
	r.wide(state.addr, scratch.addr)
	r.long(t.blocks)
	r.wide(lossAt)
	double(r, maxNorm)
	double(r, float64(step))
	r.launch(of[F](gradNormKernel), 1, 1, optimThreads, 0)
}

// AdamConfig are the constants of Adam (arXiv:1412.6980), or of AdamW (arXiv:1711.05101) where the decay is decoupled.
type AdamConfig struct {
	Beta1, Beta2, Eps, Decay float64
	Decoupled                bool
}

// Adam moves all tensors by a step with the gradients, each multiplied by state's factor, and writes their new values to where
// programs read them. It does nothing if state has a failed step.
func Adam[F kernels.Float](r *Recorder, state Slice[float64], t Tensors[F], lr float64, c AdamConfig) {
	t.need(r, "Adam")
	need(r, "Adam", "state", state, OptimStateLen)
	r.wide(state.addr, t.table, t.pieces)
	for _, v := range []float64{lr, c.Beta1, c.Beta2, c.Eps, c.Decay} {
		double(r, v)
	}
	r.ints(flag(c.Decoupled))
	r.launch(of[F](adamKernel), t.blocks, 1, optimThreads, 0)
}

// LoadParams writes the values of all tensors to where programs read them.
func LoadParams[F kernels.Float](r *Recorder, t Tensors[F]) {
	r.wide(t.table, t.pieces)
	r.launch(of[F](loadParamsKernel), t.blocks, 1, optimThreads, 0)
}

// need makes the list invalid if a tensor lacks moments or gradient.
func (t Tensors[F]) need(r *Recorder, op string) {
	if !t.moves {
		r.fail("%s: a tensor has no moments or no gradient", op)
	}
}
