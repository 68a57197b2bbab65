package bench

import (
	"context"
	"time"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/training/dpa2"
)

// shape is that of a product of an m x k by a k x n matrix.
type shape struct{ m, k, n int }

// gflops returns the rate at which threads products, one each, are done in some seconds.
func (s shape) gflops(threads int, seconds float64) float64 {
	return 2 * float64(s.m) * float64(s.k) * float64(s.n) * float64(threads) / seconds / 1e9
}

// productOp says which factor is stored transposed.
type productOp string

const (
	opNN productOp = "NN"
	opNT productOp = "NT" // the right one, n x k
	opTN productOp = "TN" // the left one, k x m
)

// bytes returns what threads products, one each, read and write in numbers of size bytes.
func (s shape) bytes(threads, size int) float64 {
	return float64(threads) * float64(size) * (float64(s.m)*float64(s.k) + float64(s.k)*float64(s.n) + float64(s.m)*float64(s.n))
}

// layers are the sizes of layers in the official models on water192: rows, inputs, outputs. Each gives three products: the
// layer itself (NN), the gradient of its inputs (NT) and that of its weights (TN).
var layers = []struct {
	what string
	shape
}{
	{"square", shape{1024, 1024, 1024}},
	{"repinit embedding, layer 2", shape{16106, 25, 50}},
	{"repinit embedding, layer 3", shape{16106, 50, 100}},
	{"three-body embedding, layer 2", shape{97787, 2, 4}},
	{"three-body embedding, layer 3", shape{97787, 4, 8}},
	{"repinit to repformer", shape{192, 1208, 128}},
	{"pairs g2", shape{5044, 32, 32}},
	{"queries and keys of g2", shape{5044, 32, 128}},
	{"heads of g2", shape{5044, 128, 32}},
	{"atoms g1, all terms", shape{192, 640, 128}},
	{"atoms g1", shape{192, 128, 128}},
	{"fitting, layer 1", shape{192, 136, 240}},
	{"fitting, layers 2 and 3", shape{192, 240, 240}},
}

// A GEMMReport is the measurement of matrix products.
type GEMMReport struct {
	Version   int            `json:"version"` // 1
	What      string         `json:"what"`    // "gemm"
	Precision dpa2.Precision `json:"precision"`
	Threads   int            `json:"threads"`
	Device    string         `json:"device,omitempty"` // the GPU; empty for the processor
	Peak      Peak           `json:"peak"`
	LeastPeak float64        `json:"least_peak_gflops"` // 1e9 FLOP/s; it was measured again before each layer
	Products  []Product      `json:"products"`
	Machine   Machine        `json:"machine"`
}

// A Product is the measurement of one shape: each thread multiplies m x k by k x n.
type Product struct {
	Layer     string  `json:"layer"`
	Op        string  `json:"op"` // NN, NT or TN
	M         int     `json:"m"`
	K         int     `json:"k"`
	N         int     `json:"n"`
	Times     Times   `json:"time"` // of one product
	GFLOPS    float64 `json:"gflops"`
	Fraction  float64 `json:"fraction_of_peak"`
	GBPS      float64 `json:"gb_s"`                  // factors read and results written
	OfPeakGBS float64 `json:"fraction_of_bandwidth"` // above 1 where caches serve
}

// GEMM measures the matrix products that occur in the models, one in each thread at a time.
func GEMM(ctx context.Context, o Options) (*GEMMReport, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Device != nil {
		return deviceGEMM(ctx, o)
	}
	r := &GEMMReport{Version: 1, What: "gemm", Precision: o.Precision, Threads: o.Threads, Machine: ThisMachine()}
	for _, l := range layers {
		r.addPeak()
		for op, s := range productsOf(l.shape) {
			err := once(ctx, func() error {
				r.Products = append(r.Products, measureProduct(l.what, op, s, o))
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
	}
	r.addPeak()
	r.Peak.GBPS = measureBandwidth(o.Threads)
	for k := range r.Products {
		p := &r.Products[k]
		p.Fraction, p.OfPeakGBS = p.GFLOPS/r.Peak.GFLOPS, p.GBPS/r.Peak.GBPS
	}
	return r, nil
}

// addPeak measures the peak once more. The best counts; where the least is far below, something else used the cores.
func (r *GEMMReport) addPeak() {
	peak := measurePeak(r.Precision, r.Threads)
	if r.Peak.GFLOPS == 0 {
		r.LeastPeak = peak
	}
	r.Peak.GFLOPS, r.LeastPeak = max(r.Peak.GFLOPS, peak), min(r.LeastPeak, peak)
}

// disturbed tells whether the peak fell so far during the measurement that fractions of it mean little.
func (r *GEMMReport) disturbed() bool { return r.LeastPeak < 0.85*r.Peak.GFLOPS }

// productsOf yields the three products of a layer: itself, by its inputs, by its weights.
func productsOf(s shape) func(yield func(productOp, shape) bool) {
	return func(yield func(productOp, shape) bool) {
		_ = yield(opNN, s) && yield(opNT, shape{s.m, s.n, s.k}) && yield(opTN, shape{s.k, s.m, s.n})
	}
}

// productBurst is the least time that a rate of one product is taken over.
const productBurst = 2 * time.Millisecond

func measureProduct(layer string, op productOp, s shape, o Options) Product {
	var t Times
	size := 4
	if o.Precision == dpa2.Float64 {
		t = product[float64](op, s, o.Threads, o.Runs, productBurst)
		size = 8
	} else {
		t = product[float32](op, s, o.Threads, o.Runs, productBurst)
	}
	return Product{Layer: layer, Op: string(op), M: s.m, K: s.k, N: s.n, Times: t, GFLOPS: s.gflops(o.Threads, t.Median),
		GBPS: s.bytes(o.Threads, size) / t.Median / 1e9}
}

// product times products of one shape, one for each thread at once. Every run repeats them until it has taken about least.
func product[F kernels.Float](op productOp, s shape, threads, runs int, least time.Duration) Times {
	work := make([]func(), threads)
	for t := range work {
		work[t] = newProduct[F](op, s)
	}
	repeat := func(times int) time.Duration {
		return together(threads, func(t int) {
			for range times {
				work[t]()
			}
		})
	}
	repeat(1)
	times := max(1, int(least/max(repeat(1), 1)))
	seconds := make([]float64, runs)
	for k := range seconds {
		seconds[k] = repeat(times).Seconds() / float64(times)
	}
	return statistics(seconds)
}

// newProduct returns a product with memory of its own, laid out as that of a program.
func newProduct[F kernels.Float](op productOp, s shape) func() {
	a, b, c := kernels.Alloc[F](s.m*s.k), kernels.Alloc[F](s.k*s.n), kernels.Alloc[F](s.m*s.n)
	for _, x := range [][]F{a, b} {
		for k := range x {
			x[k] = F(k%13) / 16
		}
	}
	switch op {
	case opNT:
		scratch := kernels.Alloc[F](s.k * s.n)
		return func() { kernels.MatMulNT(c, a, b, s.m, s.k, s.n, scratch) }
	case opTN:
		return func() { kernels.MatMulTN(c, a, b, s.m, s.k, s.n) }
	}
	return func() { kernels.MatMul(c, a, b, s.m, s.k, s.n) }
}
