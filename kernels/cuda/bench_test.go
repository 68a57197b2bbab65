package cuda_test

import (
	"fmt"
	"testing"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// A task is the benchmark of one kernel on operands of one size, timed on the GPU itself.
type task struct {
	name   string
	unit   string
	amount int // floating-point operations of a call, or bytes that it reads and writes once each
	record func(b *testing.B, m memory, r *cuda.Recorder)
}

// memory is where the operands of a task come from; they hold zeros, or what setup uploads before the task is measured.
type memory struct {
	arena *cuda.Arena
	setup *cuda.Recorder
}

func floats[F kernels.Float](b *testing.B, m memory, n int) cuda.Slice[F] {
	return take[F](m.arena, b, n)
}

// repeats is how often a measured list does the same, so that starting it does not count.
const repeats = 20

func (k task) run(b *testing.B, d *cuda.Device) {
	s, err := d.NewStream()
	if err != nil {
		b.Fatal(err)
	}
	a, err := d.NewArena(2 << 30)
	if err != nil {
		b.Skip(err)
	}
	defer a.Free()
	begin, err := d.NewEvent()
	if err != nil {
		b.Fatal(err)
	}
	end, err := d.NewEvent()
	if err != nil {
		b.Fatal(err)
	}
	all, err := cuda.At[float32](a, 0, a.Bytes()/4)
	if err != nil {
		b.Fatal(err)
	}
	var work, setup, once, unused cuda.Recorder
	cuda.Zero(&setup, all)
	k.record(b, memory{a, &setup}, &once)
	finish(b, s, &setup)
	finish(b, s, &once) // loads the kernels
	cuda.Mark(&work, begin)
	for range repeats { // the same operands each time
		a.Reset(0)
		k.record(b, memory{a, &unused}, &work)
	}
	cuda.Mark(&work, end)
	seconds := 0.0
	for b.Loop() {
		finish(b, s, &work)
		elapsed, err := end.Since(begin)
		if err != nil {
			b.Fatal(err)
		}
		seconds += elapsed.Seconds() / repeats
	}
	b.ReportMetric(float64(k.amount)*float64(b.N)/seconds/1e9, k.unit)
	b.ReportMetric(1e6*seconds/float64(b.N), "µs/call")
}

func finish(b *testing.B, s *cuda.Stream, r *cuda.Recorder) {
	if err := s.Run(r); err != nil {
		b.Fatal(err)
	}
	if err := s.Sync(); err != nil {
		b.Fatal(err)
	}
}

func benchmark(b *testing.B, tasks ...[]task) {
	benchmarkOn(b, cudatest.OpenGPU(b), tasks...)
}

func benchmarkOn(b *testing.B, d *cuda.Device, tasks ...[]task) {
	for _, list := range tasks {
		for _, k := range list {
			b.Run(k.name, func(b *testing.B) { k.run(b, d) })
		}
	}
}

func bytesOf[F kernels.Float](n int) int { return n * cuda.Room[F](1<<20) >> 20 }

func typeName[F kernels.Float]() string { var zero F; return fmt.Sprintf("%T", zero) }

func BenchmarkProducts(b *testing.B) { benchmark(b, productTasks[float32](), productTasks[float64]()) }

// productTasks: rows are edges of a batch, columns those of the networks.
func productTasks[F kernels.Float]() []task {
	var list []task
	add := func(name string, m, k, n int, f func(r *cuda.Recorder, c, x, y, scratch cuda.Slice[F])) {
		list = append(list, task{
			name: fmt.Sprintf("%s/%dx%dx%d/%s", name, m, k, n, typeName[F]()), unit: "GFLOP/s", amount: 2 * m * k * n,
			record: func(b *testing.B, mem memory, r *cuda.Recorder) {
				f(r, floats[F](b, mem, m*n), floats[F](b, mem, m*k), floats[F](b, mem, k*n), floats[F](b, mem, cuda.MatMulTNScratch(m, k, n)))
			},
		})
	}
	for _, s := range [][3]int{{4096, 4096, 4096}, {200000, 128, 128}, {200000, 64, 32}, {200000, 32, 8}, {200000, 256, 512}, {3000, 512, 240}} {
		add("MatMul", s[0], s[1], s[2], func(r *cuda.Recorder, c, x, y, _ cuda.Slice[F]) { cuda.MatMul(r, c, x, y, s[0], s[1], s[2]) })
	}
	if typeName[F]() == "float32" {
		list = append(list, tensorTasks()...)
	}
	for _, s := range [][3]int{{128, 200000, 128}, {32, 200000, 64}, {256, 50000, 512}} {
		add("MatMulTN", s[0], s[1], s[2], func(r *cuda.Recorder, c, x, y, scratch cuda.Slice[F]) {
			cuda.MatMulTN(r, c, x, y, s[0], s[1], s[2], scratch)
		})
	}
	return list
}

func tensorTasks() []task {
	var list []task
	for _, s := range [][3]int{{4096, 4096, 4096}, {200000, 128, 128}, {200000, 256, 512}} {
		m, k, n := s[0], s[1], s[2]
		list = append(list, task{
			name: fmt.Sprintf("MatMulTF32/%dx%dx%d/float32", m, k, n), unit: "GFLOP/s", amount: 2 * m * k * n,
			record: func(b *testing.B, mem memory, r *cuda.Recorder) {
				cuda.MatMulTF32(r, floats[float32](b, mem, m*n), floats[float32](b, mem, m*k), floats[float32](b, mem, k*n), m, k, n)
			},
		})
	}
	return list
}

func BenchmarkElementwise(b *testing.B) {
	benchmark(b, elementwiseTasks[float32](), elementwiseTasks[float64]())
}

func elementwiseTasks[F kernels.Float]() []task {
	const n = 1 << 24
	memoryTask := func(name string, streams int, f func(b *testing.B, m memory, r *cuda.Recorder)) task {
		return task{name: name + "/" + typeName[F](), unit: "GB/s", amount: bytesOf[F](streams * n), record: f}
	}
	return []task{
		memoryTask("Copy", 2, func(b *testing.B, m memory, r *cuda.Recorder) { cuda.Copy(r, floats[F](b, m, n), floats[F](b, m, n)) }),
		memoryTask("Add", 3, func(b *testing.B, m memory, r *cuda.Recorder) {
			cuda.Add(r, floats[F](b, m, n), floats[F](b, m, n), floats[F](b, m, n))
		}),
		memoryTask("Tanh", 2, func(b *testing.B, m memory, r *cuda.Recorder) { cuda.Tanh(r, floats[F](b, m, n), floats[F](b, m, n)) }),
		memoryTask("SumEachRow of 128", 1, func(b *testing.B, m memory, r *cuda.Recorder) {
			cuda.SumEachRow(r, floats[F](b, m, n/128), floats[F](b, m, n), 128)
		}),
		memoryTask("AddRows of 128", 1, func(b *testing.B, m memory, r *cuda.Recorder) {
			cuda.AddRows(r, take[float64](m.arena, b, 128), floats[F](b, m, n), take[float64](m.arena, b, cuda.AddRowsScratch(n/128, 128)))
		}),
		memoryTask("Transpose", 2, func(b *testing.B, m memory, r *cuda.Recorder) {
			cuda.Transpose(r, floats[F](b, m, n), floats[F](b, m, n), 1<<12, 1<<12)
		}),
	}
}

func BenchmarkSegments(b *testing.B) { benchmark(b, segmentTasks[float32](), segmentTasks[float64]()) }

// segmentTasks: 2000 atoms of 100 neighbours, 4 heads of 32.
func segmentTasks[F kernels.Float]() []task {
	const segments, each, p, q, heads, d = 2000, 100, 4, 128, 4, 32
	const rows, pairs = segments * each, segments * each * each
	start, pair, ends := make([]int32, segments+1), make([]int32, segments+1), make([]int32, rows)
	for s := range start {
		start[s], pair[s] = int32(s*each), int32(s*each*each)
	}
	for r := range ends {
		ends[r] = int32(r * 7919 % segments)
	}
	lists := func(b *testing.B, m memory) (st, pr cuda.Slice[int32]) {
		st, pr = take[int32](m.arena, b, len(start)), take[int32](m.arena, b, len(pair))
		cuda.Upload(m.setup, st, start)
		cuda.Upload(m.setup, pr, pair)
		return st, pr
	}
	var list []task
	add := func(name, unit string, amount int, f func(b *testing.B, m memory, r *cuda.Recorder)) {
		list = append(list, task{name + "/" + typeName[F](), unit, amount, f})
	}
	add("SegOuter", "GB/s", bytesOf[F](rows*(p+q)+segments*p*q), func(b *testing.B, m memory, r *cuda.Recorder) {
		st, _ := lists(b, m)
		cuda.SegOuter(r, floats[F](b, m, segments*p*q), floats[F](b, m, rows*p), floats[F](b, m, rows*q), st, 0, segments, p, q)
	})
	add("RowApply", "GB/s", bytesOf[F](rows*(p+q)+segments*p*q), func(b *testing.B, m memory, r *cuda.Recorder) {
		st, _ := lists(b, m)
		cuda.RowApply(r, floats[F](b, m, rows*p), floats[F](b, m, segments*p*q), floats[F](b, m, rows*q), st, 0, segments, p, q)
	})
	add("RowApplyT", "GB/s", bytesOf[F](rows*(p+q)+segments*p*q), func(b *testing.B, m memory, r *cuda.Recorder) {
		st, _ := lists(b, m)
		cuda.RowApplyT(r, floats[F](b, m, rows*q), floats[F](b, m, segments*p*q), floats[F](b, m, rows*p), st, 0, segments, p, q)
	})
	add("Gather", "GB/s", bytesOf[F](2*rows*q), func(b *testing.B, m memory, r *cuda.Recorder) {
		index := take[int32](m.arena, b, rows)
		cuda.Upload(m.setup, index, ends)
		cuda.Gather(r, floats[F](b, m, rows*q), q, 0, floats[F](b, m, segments*q), q, 0, index, q)
	})
	add("Scatter", "GB/s", bytesOf[F](rows*q+segments*q), func(b *testing.B, m memory, r *cuda.Recorder) {
		st, _ := lists(b, m)
		cuda.Scatter(r, floats[F](b, m, segments*q), floats[F](b, m, rows*q), st, cuda.Slice[int32]{}, 0, segments, q)
	})
	add("SegSoftmax", "GB/s", bytesOf[F](2*pairs*heads), func(b *testing.B, m memory, r *cuda.Recorder) {
		all := make([]int32, rows+1) // a segment for each row of pairs
		for s := range all {
			all[s] = int32(s * each)
		}
		st := take[int32](m.arena, b, len(all))
		cuda.Upload(m.setup, st, all)
		x := floats[F](b, m, pairs*heads)
		cuda.SegSoftmax(r, x, x, cuda.Slice[F]{}, 0, st, 0, rows, heads)
	})
	for _, f := range []struct {
		name  string
		apply bool
		call  func(r *cuda.Recorder, dst, a, b cuda.Slice[F], start, pair cuda.Slice[int32], first, last, heads, d int)
	}{{"PairDot", false, cuda.PairDot[F]}, {"PairApply", true, cuda.PairApply[F]}, {"PairApplyT", true, cuda.PairApplyT[F]}} {
		add(f.name, "GFLOP/s", 2*pairs*heads*d, func(b *testing.B, m memory, r *cuda.Recorder) {
			st, pr := lists(b, m)
			x, y, w := floats[F](b, m, rows*heads*d), floats[F](b, m, rows*heads*d), floats[F](b, m, pairs*heads)
			if f.apply {
				f.call(r, x, w, y, st, pr, 0, segments, heads, d)
			} else {
				f.call(r, w, x, y, st, pr, 0, segments, heads, d)
			}
		})
	}
	return list
}
