package cuda_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// hostTensor is a cuda.Tensor in memory of the host.
type hostTensor[F kernels.Float] struct {
	value, m1, m2 []float64
	param, grad   []F
	rate, root    float64
}

// lengths of tensors: none, one, both sides of a block's share, several blocks.
var tensorLengths = []int{0, 1, 2047, 2048, 2049, 5000, 7}

func randomTensors[F kernels.Float](seed uint64) []*hostTensor[F] {
	rng := rand.New(rand.NewPCG(seed, 1))
	var list []*hostTensor[F]
	for _, n := range tensorLengths {
		t := &hostTensor[F]{rate: 0.1 * rng.Float64(), root: rng.Float64() + 0.1, param: make([]F, n)}
		for range n {
			t.value, t.m1 = append(t.value, rng.NormFloat64()), append(t.m1, rng.NormFloat64())
			t.m2, t.grad = append(t.m2, 0.1+rng.Float64()), append(t.grad, F(rng.NormFloat64()))
		}
		list = append(list, t)
	}
	return list
}

// stepOnHost is the definition of cuda.GradNorm and cuda.Adam.
func stepOnHost[F kernels.Float](list []*hostTensor[F], maxNorm, lr float64, c cuda.AdamConfig) (norm float64) {
	for _, t := range list {
		sum := 0.0 // of a tensor at a time, as one long sum is too inexact to compare with
		for _, g := range t.grad {
			sum += float64(g) * float64(g)
		}
		norm += sum
	}
	norm = math.Sqrt(norm)
	factor := 1.0
	if maxNorm > 0 && norm+1e-6 > maxNorm {
		factor = maxNorm / (norm + 1e-6)
	}
	for _, t := range list {
		for i := range t.value {
			g := float64(t.grad[i]) * factor
			if c.Decoupled {
				t.value[i] *= 1 - lr*c.Decay
			} else {
				g += c.Decay * t.value[i]
			}
			t.m1[i] = c.Beta1*t.m1[i] + (1-c.Beta1)*g
			t.m2[i] = c.Beta2*t.m2[i] + (1-c.Beta2)*g*g
			t.value[i] -= t.rate * t.m1[i] / (math.Sqrt(t.m2[i])/t.root + c.Eps)
			t.param[i] = F(t.value[i])
		}
	}
	return norm
}

// optimBench does steps of tensors on a device.
type optimBench[F kernels.Float] struct {
	*bridge[F]
	state []float64
}

// step brings tensors to the device, takes one step and brings them back.
func (b *optimBench[F]) step(list []*hostTensor[F], loss []F, maxNorm, lr float64, number int, c cuda.AdamConfig) {
	b.t.Helper()
	var tensors []cuda.Tensor[F]
	blocks := 0
	for _, t := range list {
		tensors = append(tensors, cuda.Tensor[F]{Value: b.outSum(t.value), M1: b.outSum(t.m1), M2: b.outSum(t.m2),
			Param: b.out(t.param), Grad: b.in(t.grad), Rate: t.rate, Root: t.root})
		blocks += cuda.TensorBlocks(len(t.value))
	}
	room := cuda.TensorsRoom(len(list), blocks)
	table := cuda.UploadTensors(&b.rec, take[uint8](b.arena, b.t, room), make([]uint8, room), tensors)
	state := b.outSum(b.state)
	cuda.GradNorm(&b.rec, state, table, b.in(loss), maxNorm, number, b.doubles(blocks))
	cuda.Adam(&b.rec, state, table, lr, c)
	b.run()
}

func TestAdam(t *testing.T) {
	t.Run("float32", testAdam[float32])
	t.Run("float64", testAdam[float64])
}

func testAdam[F kernels.Float](t *testing.T) {
	b := &optimBench[F]{bridge: newBridge[F](t, cudatest.Open(t))}
	for _, c := range []cuda.AdamConfig{
		{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8},
		{Beta1: 0.8, Beta2: 0.99, Eps: 1e-3, Decay: 0.1},
		{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.01, Decoupled: true},
	} {
		for _, maxNorm := range []float64{0, 5, 1e6} {
			t.Run(fmt.Sprintf("%+v clipped at %g", c, maxNorm), func(t *testing.T) {
				got, want := randomTensors[F](3), randomTensors[F](3)
				b.state = make([]float64, cuda.OptimStateLen)
				b.step(got, []F{1}, maxNorm, 0.01, 1, c)
				norm := stepOnHost(want, maxNorm, 0.01, c)
				if s := cuda.ParseOptimState(b.state); s.Failed != 0 || math.Abs(s.Norm-norm) > 1e-14*norm {
					t.Errorf("state %+v, want a norm of %v", s, norm)
				}
				for k, w := range want {
					near(t, k, "value", got[k].value, w.value, 1e-15)
					near(t, k, "m1", got[k].m1, w.m1, 1e-15)
					near(t, k, "m2", got[k].m2, w.m2, 1e-15)
					near(t, k, "param", got[k].param, w.param, 1e-7)
				}
			})
		}
	}
}

// near compares numbers with a tolerance relative to them, or to 1 for those below.
func near[T kernels.Float](t *testing.T, tensor int, what string, got, want []T, tol float64) {
	t.Helper()
	for i := range want {
		if w := float64(want[i]); math.Abs(float64(got[i])-w) > tol*max(1, math.Abs(w)) {
			t.Errorf("tensor %d: %s %d is %v, want %v", tensor, what, i, got[i], w)
			return
		}
	}
}

// TestAdamHalts gives numbers that are not finite: nothing is changed, then or later, and the state tells the first one.
func TestAdamHalts(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	c := cuda.AdamConfig{Beta1: 0.9, Beta2: 0.999, Eps: 1e-8}
	for _, tc := range []struct {
		name       string
		grad, loss float32
		want       cuda.OptimState
	}{
		{"gradient", nan, 1, cuda.OptimState{Failed: 7}},
		{"infinite gradient", inf, 1, cuda.OptimState{Failed: 7}},
		{"loss", 1, inf, cuda.OptimState{Failed: 7, Loss: true}},
		{"both", nan, nan, cuda.OptimState{Failed: 7, Loss: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := &optimBench[float32]{bridge: newBridge[float32](t, cudatest.Open(t)), state: make([]float64, cuda.OptimStateLen)}
			got, want := randomTensors[float32](5), randomTensors[float32](5)
			got[5].grad[4999] = tc.grad
			b.step(got, []float32{tc.loss}, 1, 0.01, 7, c)
			got[5].grad[4999] = 1
			b.step(got, []float32{1}, 1, 0.01, 8, c)
			if s := cuda.ParseOptimState(b.state); s.Failed != tc.want.Failed || s.Loss != tc.want.Loss {
				t.Errorf("state %+v, want %+v", s, tc.want)
			}
			for k := range want {
				if !slices.Equal(got[k].value, want[k].value) || !slices.Equal(got[k].m1, want[k].m1) || !slices.Equal(got[k].m2, want[k].m2) {
					t.Errorf("tensor %d was changed", k)
				}
			}
		})
	}
}

func TestLoadParams(t *testing.T) {
	b := newBridge[float32](t, cudatest.Open(t))
	list := randomTensors[float32](9)
	var tensors []cuda.Tensor[float32]
	blocks := 0
	for k, h := range list {
		tensors = append(tensors, cuda.Tensor[float32]{Value: b.outSum(h.value), Param: b.out(h.param)})
		if k == 3 {
			tensors[k].Param = cuda.Slice[float32]{}
		}
		blocks += cuda.TensorBlocks(len(h.value))
	}
	room := cuda.TensorsRoom(len(list), blocks)
	cuda.LoadParams(&b.rec, cuda.UploadTensors(&b.rec, take[uint8](b.arena, t, room), make([]uint8, room), tensors))
	b.run()
	for k, h := range list {
		for i, v := range h.value {
			want := float32(v)
			if k == 3 {
				want = 0 // nobody reads it
			}
			if h.param[i] != want {
				t.Fatalf("tensor %d: parameter %d is %v, want %v", k, i, h.param[i], want)
			}
		}
	}
}

func TestUploadTensorsRefuses(t *testing.T) {
	b := newBridge[float64](t, cudatest.Open(t))
	ten := take[float64](b.arena, t, 10)
	room := cuda.TensorsRoom(1, 1)
	for _, c := range []struct {
		name   string
		tensor cuda.Tensor[float64]
		host   int
	}{
		{"lengths differ", cuda.Tensor[float64]{Value: ten, Grad: ten.Cut(0, 9)}, room},
		{"no room", cuda.Tensor[float64]{Value: ten, M1: ten, M2: ten, Grad: ten}, room - 1},
		{"no moments", cuda.Tensor[float64]{Value: ten, Grad: ten}, room},
	} {
		var r cuda.Recorder
		table := cuda.UploadTensors(&r, take[uint8](b.arena, t, room), make([]uint8, c.host), []cuda.Tensor[float64]{c.tensor})
		cuda.Adam(&r, ten, table, 1, cuda.AdamConfig{})
		if r.Err() == nil {
			t.Errorf("%s: accepted", c.name)
		}
	}
}
