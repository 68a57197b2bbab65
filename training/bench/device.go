package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/training/dpa2"
)

// The ceilings of a GPU are measured with a large product and a large copy within its memory, by its events. They grow until
// one takes long enough that the clock and the start of a kernel do not matter.
const (
	ceilingTime    = 4 * time.Millisecond
	leastSide      = 64
	mostSide       = 8192
	leastCopy      = 1 << 20 // bytes
	copyRepeats    = 5
	productRepeats = 3
)

// deviceBench measures on a GPU.
type deviceBench struct {
	device     *cuda.Device
	stream     *cuda.Stream
	begin, end *cuda.Event
	list       cuda.Recorder
}

func newDeviceBench(d *cuda.Device) (*deviceBench, error) {
	b := &deviceBench{device: d}
	var err error
	if b.stream, err = d.NewStream(); err != nil {
		return nil, err
	}
	if b.begin, err = d.NewEvent(); err != nil {
		return nil, err
	}
	b.end, err = d.NewEvent()
	return b, err
}

// time runs what record lists, so many times in a row, and returns the time of one.
func (b *deviceBench) time(times int, record func(r *cuda.Recorder)) (time.Duration, error) {
	b.list.Reset()
	cuda.Mark(&b.list, b.begin)
	for range times {
		record(&b.list)
	}
	cuda.Mark(&b.list, b.end)
	if err := b.stream.Run(&b.list); err != nil {
		return 0, err
	}
	if err := b.stream.Sync(); err != nil {
		return 0, err
	}
	d, err := b.end.Since(b.begin)
	return d / time.Duration(times), err
}

// peak measures both ceilings.
func (b *deviceBench) peak(p dpa2.Precision) (peak Peak, err error) {
	if p == dpa2.Float64 {
		peak.GFLOPS, err = peakProduct[float64](b)
	} else {
		peak.GFLOPS, err = peakProduct[float32](b)
	}
	if err == nil {
		peak.GBPS, err = b.peakCopy()
	}
	return peak, err
}

// peakProduct returns the rate of the largest product that was tried, 1e9 FLOP/s.
func peakProduct[F kernels.Float](b *deviceBench) (rate float64, err error) {
	for side := leastSide; side <= mostSide; side *= 2 {
		s := shape{side, side, side}
		d, err := deviceProduct[F](b, opNN, s, productRepeats, 1)
		if err != nil {
			return 0, err
		}
		rate = max(rate, s.gflops(1, d[0]))
		if d[0] > ceilingTime.Seconds() {
			break
		}
	}
	return rate, nil
}

// peakCopy returns the best rate of reading and writing, 1e9 bytes/s.
func (b *deviceBench) peakCopy() (rate float64, err error) {
	free, _, err := b.device.FreeMemory()
	if err != nil {
		return 0, err
	}
	for n := leastCopy; n <= free/8; n *= 2 {
		d, err := b.copyTime(n)
		if err != nil {
			return 0, err
		}
		rate = max(rate, 2*float64(n)/d.Seconds()/1e9)
		if d > ceilingTime {
			break
		}
	}
	if rate == 0 {
		return 0, errors.New("the memory of the GPU is taken: too little is left to measure its bandwidth; stop other programs")
	}
	return rate, nil
}

func (b *deviceBench) copyTime(bytes int) (time.Duration, error) {
	arena, err := b.device.NewArena(2*bytes + 4096)
	if err != nil {
		return 0, err
	}
	defer func() { _ = arena.Free() }() // nothing is lost with it
	x, err := cuda.Take[uint8](arena, bytes)
	if err != nil {
		return 0, err
	}
	y, err := cuda.Take[uint8](arena, bytes)
	if err != nil {
		return 0, err
	}
	both := func(r *cuda.Recorder) { cuda.Copy(r, y, x) }
	if _, err := b.time(1, func(r *cuda.Recorder) { cuda.Zero(r, x); both(r) }); err != nil {
		return 0, err
	}
	return b.time(copyRepeats, both)
}

// deviceProduct times products of one shape, in seconds, each of runs over so many in a row.
func deviceProduct[F kernels.Float](b *deviceBench, op productOp, s shape, times, runs int) ([]float64, error) {
	scratch := 0
	if op == opTN {
		scratch = cuda.MatMulTNScratch(s.m, s.k, s.n)
	}
	arena, err := b.device.NewArena(cuda.Room[F](s.m*s.k) + cuda.Room[F](s.k*s.n) + cuda.Room[F](s.m*s.n) + cuda.Room[F](scratch))
	if err != nil {
		return nil, fmt.Errorf("product of %d x %d x %d: %w", s.m, s.k, s.n, err)
	}
	defer func() { _ = arena.Free() }() // nothing is lost with it
	var slices [4]cuda.Slice[F]
	for k, n := range []int{s.m * s.k, s.k * s.n, s.m * s.n, scratch} {
		if slices[k], err = cuda.Take[F](arena, n); err != nil {
			return nil, err
		}
	}
	x, y, z, w := slices[0], slices[1], slices[2], slices[3]
	record := func(r *cuda.Recorder) {
		switch op {
		case opNN:
			cuda.MatMul(r, z, x, y, s.m, s.k, s.n)
		case opNT:
			cuda.MatMulNT(r, z, x, y, s.m, s.k, s.n)
		case opTN:
			cuda.MatMulTN(r, z, x, y, s.m, s.k, s.n, w)
		}
	}
	if _, err := b.time(1, func(r *cuda.Recorder) { cuda.Fill(r, x, 1); cuda.Fill(r, y, 0.5); record(r) }); err != nil {
		return nil, err
	}
	seconds := make([]float64, runs)
	for k := range seconds {
		d, err := b.time(times, record)
		if err != nil {
			return nil, err
		}
		seconds[k] = max(d, time.Nanosecond).Seconds()
	}
	return seconds, nil
}

// deviceGEMM measures the matrix products that occur in the models on a GPU, one at a time.
func deviceGEMM(ctx context.Context, o Options) (*GEMMReport, error) {
	b, err := newDeviceBench(o.Device)
	if err != nil {
		return nil, err
	}
	r := &GEMMReport{Version: 1, What: "gemm", Precision: o.Precision, Threads: 1, Device: o.Device.Info().String(), Machine: ThisMachine()}
	if r.Peak, err = b.peak(o.Precision); err != nil {
		return nil, err
	}
	r.LeastPeak = r.Peak.GFLOPS
	for _, l := range layers {
		for op, s := range productsOf(l.shape) {
			err := once(ctx, func() error {
				p, err := b.product(l.what, op, s, o)
				r.Products = append(r.Products, p)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	again, err := b.peak(o.Precision)
	if err != nil {
		return nil, err
	}
	r.LeastPeak = min(r.LeastPeak, again.GFLOPS)
	r.Peak.GFLOPS, r.Peak.GBPS = max(r.Peak.GFLOPS, again.GFLOPS), max(r.Peak.GBPS, again.GBPS)
	for k := range r.Products {
		p := &r.Products[k]
		p.Fraction, p.OfPeakGBS = p.GFLOPS/r.Peak.GFLOPS, p.GBPS/r.Peak.GBPS
	}
	return r, nil
}

// product measures one shape.
func (b *deviceBench) product(layer string, op productOp, s shape, o Options) (Product, error) {
	var seconds []float64
	var err error
	size := 4
	if o.Precision == dpa2.Float64 {
		size = 8
		seconds, err = deviceProduct[float64](b, op, s, productRepeats, o.Runs)
	} else {
		seconds, err = deviceProduct[float32](b, op, s, productRepeats, o.Runs)
	}
	if err != nil {
		return Product{}, err
	}
	t := statistics(seconds)
	return Product{Layer: layer, Op: string(op), M: s.m, K: s.k, N: s.n, Times: t, GFLOPS: s.gflops(1, t.Median), GBPS: s.bytes(1, size) / t.Median / 1e9}, nil
}
