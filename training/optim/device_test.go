package optim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// deviceBench takes the same steps on a device as on the host.
type deviceBench[F kernels.Float] struct {
	t      *testing.T
	rng    *rand.Rand
	device *DeviceAdam[F]
	stream *cuda.Stream
	host   *Adam
	params []Param
	bound  []Bound[F]
	grads  [][]F
	max    float64
}

func newDeviceBench[F kernels.Float](t *testing.T, d *cuda.Device, cfg Config) *deviceBench[F] {
	t.Helper()
	b := &deviceBench[F]{t: t, rng: rand.New(rand.NewPCG(1, 2)), max: cfg.MaxNorm}
	arena, err := d.NewArena(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	if b.stream, err = d.NewStream(); err != nil {
		t.Fatal(err)
	}
	if b.host, err = NewAdam(cfg); err != nil {
		t.Fatal(err)
	}
	var list []DeviceTensor
	for k, n := range []int{3, 1, 2500, 40} {
		p := Param{Name: fmt.Sprint("tensor ", k), Value: make([]float64, n)}
		for i := range p.Value {
			p.Value[i] = b.rng.NormFloat64()
		}
		b.params = append(b.params, p)
		b.grads = append(b.grads, make([]F, n))
		list = append(list, DeviceTensor{p.Name, n, true})
		param, err := cuda.Take[F](arena, n)
		if err != nil {
			t.Fatal(err)
		}
		grad, err := cuda.Take[F](arena, n)
		if err != nil {
			t.Fatal(err)
		}
		b.bound = append(b.bound, Bound[F]{k, param, grad})
	}
	if b.device, err = NewDeviceAdam[F](cfg, d, b.stream, list); err != nil {
		t.Fatal(err)
	}
	if err := b.device.SetValues(b.stream, b.value); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *deviceBench[F]) value(tensor int) []float64 { return b.params[tensor].Value }

// step takes a step on both with a random gradient of the first tensors; the others rest.
func (b *deviceBench[F]) step(number, tensors int) cuda.OptimState {
	b.t.Helper()
	lr := 0.01 / float64(number)
	var r cuda.Recorder
	for k := range b.params {
		b.params[k].Grad = nil
		if k >= tensors {
			continue
		}
		b.params[k].Grad = make([]float64, len(b.grads[k]))
		for i := range b.grads[k] {
			b.grads[k][i] = F(b.rng.NormFloat64())
			b.params[k].Grad[i] = float64(b.grads[k][i])
		}
		cuda.Upload(&r, b.bound[k].Grad, b.grads[k])
	}
	if _, err := Clip(b.params, b.max); err != nil {
		b.t.Fatal(err)
	}
	if err := b.host.Step(lr, b.params); err != nil {
		b.t.Fatal(err)
	}
	report := b.device.Step(&r, lr, number, cuda.Slice[F]{}, b.bound[:tensors])
	if err := run(b.stream, &r); err != nil {
		b.t.Fatal(err)
	}
	return cuda.ParseOptimState(report)
}

// compare compares masters and moments, and the program's copies of the masters.
func (b *deviceBench[F]) compare() {
	b.t.Helper()
	values := map[string][]float64{}
	err := b.device.Values(b.stream, func(tensor int) []float64 {
		into := make([]float64, len(b.value(tensor)))
		values[b.params[tensor].Name] = into
		return into
	})
	if err != nil {
		b.t.Fatal(err)
	}
	state, err := b.device.State(b.stream)
	if err != nil {
		b.t.Fatal(err)
	}
	want := b.host.State()
	if len(state) != len(want) {
		b.t.Errorf("moments of %d tensors, want %d", len(state), len(want))
	}
	for k, p := range b.params {
		b.near(p.Name+" value", values[p.Name], p.Value)
		if m := want[p.Name]; state[p.Name].Step != m.Step {
			b.t.Errorf("%s took %d steps, want %d", p.Name, state[p.Name].Step, m.Step)
		}
		b.near(p.Name+" m1", state[p.Name].M1, want[p.Name].M1)
		b.near(p.Name+" m2", state[p.Name].M2, want[p.Name].M2)
		param := make([]F, len(p.Value))
		var r cuda.Recorder
		cuda.Download(&r, param, b.bound[k].Param)
		if err := run(b.stream, &r); err != nil {
			b.t.Fatal(err)
		}
		for i, v := range values[p.Name] {
			if want[p.Name].Step > 0 && param[i] != F(v) {
				b.t.Fatalf("%s: the program reads %v, want %v", p.Name, param[i], F(v))
			}
		}
	}
}

func (b *deviceBench[F]) near(what string, got, want []float64) {
	b.t.Helper()
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-15*max(1, math.Abs(want[i])) {
			b.t.Errorf("%s: number %d is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

func TestDeviceAdam(t *testing.T) {
	decay := 0.02
	for _, cfg := range []Config{
		{}, {MaxNorm: 5}, {Type: "AdamW", MaxNorm: 1000}, {WeightDecay: &decay, Beta1: 0.8, Beta2: 0.95, Eps: 1e-4},
	} {
		t.Run(fmt.Sprintf("%s clipped at %g", cfg.Type, cfg.MaxNorm), func(t *testing.T) {
			t.Run("float64", func(t *testing.T) { testDeviceAdam[float64](t, cfg) })
			t.Run("float32", func(t *testing.T) { testDeviceAdam[float32](t, cfg) })
		})
	}
}

func testDeviceAdam[F kernels.Float](t *testing.T, cfg Config) {
	d := cudatest.Open(t)
	b := newDeviceBench[F](t, d, cfg)
	for n, tensors := range []int{3, 4, 2, 3} {
		b.step(n+1, tensors)
		b.compare()
	}
	other := newDeviceBench[F](t, d, cfg) // goes on from the moments of the first
	state, err := b.device.State(b.stream)
	if err != nil {
		t.Fatal(err)
	}
	if err := other.device.SetState(other.stream, state); err != nil {
		t.Fatal(err)
	}
	other.params, other.host, other.rng = b.params, b.host, b.rng
	if err := other.device.SetValues(other.stream, other.value); err != nil {
		t.Fatal(err)
	}
	other.step(9, 4)
	other.compare()
	if err := b.device.Close(); err != nil {
		t.Error(err)
	}
}

// TestDeviceAdamHalts takes a step that is not possible, one more, and after Reset one that is.
func TestDeviceAdamHalts(t *testing.T) {
	b := newDeviceBench[float32](t, cudatest.Open(t), Config{MaxNorm: 1})
	b.step(1, 4)
	loss := b.bound[0].Param.Cut(0, 1)
	var r cuda.Recorder
	cuda.Fill(&r, loss, float32(math.Inf(1)))
	b.device.Step(&r, 0.1, 2, loss, b.bound)
	report := b.device.Step(&r, 0.1, 3, cuda.Slice[float32]{}, b.bound)
	b.device.Reset(&r)
	if err := run(b.stream, &r); err != nil {
		t.Fatal(err)
	}
	if s := cuda.ParseOptimState(report); s.Failed != 2 || !s.Loss {
		t.Errorf("state %+v, want the loss of step 2", s)
	}
	b.device.Undo(b.bound)
	b.device.Undo(b.bound)
	if s := b.step(2, 4); s.Failed != 0 {
		t.Errorf("step %d failed after Reset", s.Failed)
	}
	b.compare()
}

func TestDeviceAdamRefuses(t *testing.T) {
	b := newDeviceBench[float64](t, cudatest.Open(t), Config{})
	for name, err := range map[string]error{
		"values":  b.device.SetValues(b.stream, func(int) []float64 { return make([]float64, 2) }),
		"moments": b.device.SetState(b.stream, map[string]Moments{"tensor 0": {1, make([]float64, 3), nil}}),
	} {
		if err == nil {
			t.Errorf("%s of another length were accepted", name)
		}
	}
	if _, err := NewDeviceAdam[float64](Config{Type: "SGD"}, nil, nil, nil); err == nil {
		t.Error("an unknown optimizer was accepted")
	}
}
