package cuda_test

import (
	"math"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
)

// margin is how many numbers surround each slice on the device; what an operation writes there is found.
const (
	margin = 48
	guard  = 77
)

// bridge does operations of package cuda on slices of the host: it copies them to the device and back.
type bridge[F kernels.Float] struct {
	t      testing.TB
	stream *cuda.Stream
	arena  *cuda.Arena
	rec    cuda.Recorder
	copies []copied[F]
	sums   []copied[float64]
}

// copied is a slice of the host and, with margins, of the device.
type copied[T cuda.Number] struct {
	host, padded []T
	device       cuda.Slice[T]
}

func newBridge[F kernels.Float](t testing.TB, d *cuda.Device) *bridge[F] {
	t.Helper()
	b := &bridge[F]{t: t}
	var err error
	if b.stream, err = d.NewStream(); err != nil {
		t.Fatal(err)
	}
	if b.arena, err = d.NewArena(64 << 20); err != nil {
		t.Fatal(err)
	}
	return b
}

func take[T cuda.Number](b *cuda.Arena, t testing.TB, n int) cuda.Slice[T] {
	t.Helper()
	s, err := cuda.Take[T](b, n)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// place brings a slice to the device, and numbers to put around it.
func place[F kernels.Float, T cuda.Number](b *bridge[F], host []T, around T) copied[T] {
	padded := make([]T, len(host)+2*margin)
	for i := range padded {
		padded[i] = around
	}
	copy(padded[margin:], host)
	c := copied[T]{host, padded, take[T](b.arena, b.t, len(padded))}
	cuda.Upload(&b.rec, c.device, c.padded)
	return c
}

func (c copied[T]) inner() cuda.Slice[T] { return c.device.Cut(margin, margin+len(c.host)) }

// in brings an operand, in the midst of NaN, which is to show in results if something is read beside it; out brings a result,
// which is taken back by run.
func (b *bridge[F]) in(x []F) cuda.Slice[F] { return place(b, x, F(math.NaN())).inner() }

func (b *bridge[F]) list(x []int32) cuda.Slice[int32] { return place(b, x, guard).inner() }

func (b *bridge[F]) out(x []F) cuda.Slice[F] {
	c := place(b, x, guard)
	b.copies = append(b.copies, c)
	return c.inner()
}

func (b *bridge[F]) outSum(x []float64) cuda.Slice[float64] {
	c := place(b, x, guard)
	b.sums = append(b.sums, c)
	return c.inner()
}

// scratch is memory of undefined contents.
func (b *bridge[F]) scratch(n int) cuda.Slice[F] { return take[F](b.arena, b.t, n) }

func (b *bridge[F]) doubles(n int) cuda.Slice[float64] { return take[float64](b.arena, b.t, n) }

// run does what is recorded and takes the results back.
func (b *bridge[F]) run() {
	b.t.Helper()
	for _, c := range b.copies {
		cuda.Download(&b.rec, c.padded, c.device)
	}
	for _, c := range b.sums {
		cuda.Download(&b.rec, c.padded, c.device)
	}
	if err := b.stream.Run(&b.rec); err != nil {
		b.t.Fatal(err)
	}
	if err := b.stream.Sync(); err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.copies {
		c.back(b.t)
	}
	for _, c := range b.sums {
		c.back(b.t)
	}
	b.rec.Reset()
	b.arena.Reset(0)
	b.copies, b.sums = b.copies[:0], b.sums[:0]
}

func (c copied[T]) back(t testing.TB) {
	t.Helper()
	for i, v := range c.padded {
		if (i < margin || i >= margin+len(c.host)) && v != T(guard) {
			t.Fatalf("number %d of %d was written", i-margin, len(c.host))
		}
	}
	copy(c.host, c.padded[margin:])
}
