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

// layers are the sizes of layers in the official models on water192: rows, inputs, outputs. Each gives three products: the
// layer itself (NN), the gradient of its inputs (NT) and that of its weights (TN).
var layers = []struct {
	what string
	shape
}{
	{"square", shape{1024, 1024, 1024}},
	{"repinit embedding, layer 2", shape{17000, 25, 50}},
	{"repinit embedding, layer 3", shape{17000, 50, 100}},
	{"three-body embedding, layer 2", shape{135000, 2, 4}},
	{"three-body embedding, layer 3", shape{135000, 4, 8}},
	{"pairs g2", shape{5000, 32, 32}},
	{"repinit to repformer", shape{192, 1300, 128}},
	{"atoms g1", shape{192, 128, 128}},
	{"fitting", shape{192, 240, 240}},
}

// A GEMMReport is the measurement of matrix products.
type GEMMReport struct {
	Version   int            `json:"version"` // 1
	What      string         `json:"what"`    // "gemm"
	Precision dpa2.Precision `json:"precision"`
	Threads   int            `json:"threads"`
	Peak      Peak           `json:"peak"`
	Products  []Product      `json:"products"`
	Machine   Machine        `json:"machine"`
}

// A Product is the measurement of one shape: each thread multiplies m x k by k x n.
type Product struct {
	Layer    string  `json:"layer"`
	Op       string  `json:"op"` // NN, NT or TN
	M        int     `json:"m"`
	K        int     `json:"k"`
	N        int     `json:"n"`
	Times    Times   `json:"time"` // of one product
	GFLOPS   float64 `json:"gflops"`
	Fraction float64 `json:"fraction_of_peak"`
}

// GEMM measures the matrix products that occur in the models, one in each thread at a time.
func GEMM(ctx context.Context, o Options) (*GEMMReport, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	r := &GEMMReport{Version: 1, What: "gemm", Precision: o.Precision, Threads: o.Threads, Machine: thisMachine()}
	r.Peak.GFLOPS = measurePeak(o.Precision, o.Threads)
	for _, l := range layers {
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
	r.Peak.GFLOPS = max(r.Peak.GFLOPS, measurePeak(o.Precision, o.Threads))
	r.Peak.GBPS = measureBandwidth(o.Threads)
	for k := range r.Products {
		r.Products[k].Fraction = r.Products[k].GFLOPS / r.Peak.GFLOPS
	}
	return r, nil
}

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
	if o.Precision == dpa2.Float64 {
		t = product[float64](op, s, o.Threads, o.Runs, productBurst)
	} else {
		t = product[float32](op, s, o.Threads, o.Runs, productBurst)
	}
	return Product{Layer: layer, Op: string(op), M: s.m, K: s.k, N: s.n, Times: t, GFLOPS: s.gflops(o.Threads, t.Median)}
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

// newProduct returns a product with memory of its own.
func newProduct[F kernels.Float](op productOp, s shape) func() {
	a, b, c := make([]F, s.m*s.k), make([]F, s.k*s.n), make([]F, s.m*s.n)
	for _, x := range [][]F{a, b} {
		for k := range x {
			x[k] = F(k%13) / 16
		}
	}
	switch op {
	case opNT:
		scratch := make([]F, s.k*s.n)
		return func() { kernels.MatMulNT(c, a, b, s.m, s.k, s.n, scratch) }
	case opTN:
		return func() { kernels.MatMulTN(c, a, b, s.m, s.k, s.n) }
	}
	return func() { kernels.MatMul(c, a, b, s.m, s.k, s.n) }
}
