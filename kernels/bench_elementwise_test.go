package kernels_test

import "github.com/fedlam/fedlam/kernels"

// A mapping is an elementwise function with the number of vectors it reads.
type mapping[F kernels.Float] struct {
	kernel string
	reads  int
	call   func(dst, a, b, c []F)
}

func mappings[F kernels.Float]() []mapping[F] {
	return []mapping[F]{
		{"Fill", 0, func(dst, _, _, _ []F) { kernels.Fill(dst, 3) }},
		{"Add", 2, func(dst, a, b, _ []F) { kernels.Add(dst, a, b) }},
		{"Sub", 2, func(dst, a, b, _ []F) { kernels.Sub(dst, a, b) }},
		{"Mul", 2, func(dst, a, b, _ []F) { kernels.Mul(dst, a, b) }},
		{"Neg", 1, func(dst, a, _, _ []F) { kernels.Neg(dst, a) }},
		{"Scale", 1, func(dst, a, _, _ []F) { kernels.Scale(dst, a, 3) }},
		{"AddScalar", 1, func(dst, a, _, _ []F) { kernels.AddScalar(dst, a, 3) }},
		{"Square", 1, func(dst, a, _, _ []F) { kernels.Square(dst, a) }},
		{"Recip", 1, func(dst, a, _, _ []F) { kernels.Recip(dst, a) }},
		{"Sqrt", 1, func(dst, a, _, _ []F) { kernels.Sqrt(dst, a) }},
		{"Step", 1, func(dst, a, _, _ []F) { kernels.Step(dst, a) }},
		{"Switch", 1, func(dst, a, _, _ []F) { kernels.Switch(dst, a, -1, 1, 1) }},
		{"MulMul", 2, func(dst, a, b, _ []F) { kernels.MulMul(dst, a, b, 3) }},
		{"AddScaled", 2, func(dst, a, b, _ []F) { kernels.AddScaled(dst, a, b, 3) }},
		{"MulAdd", 3, func(dst, a, b, c []F) { kernels.MulAdd(dst, a, b, c) }},
		{"MulSub", 3, func(dst, a, b, c []F) { kernels.MulSub(dst, a, b, c) }},
		{"SubMul", 3, func(dst, a, b, c []F) { kernels.SubMul(dst, a, b, c) }},
		{"Quadratic", 1, func(dst, a, _, _ []F) { kernels.Quadratic(dst, a, 3, 2) }},
		{"Exp", 1, func(dst, a, _, _ []F) { kernels.Exp(dst, a) }},
		{"Tanh", 1, func(dst, a, _, _ []F) { kernels.Tanh(dst, a) }},
		{"Sigmoid", 1, func(dst, a, _, _ []F) { kernels.Sigmoid(dst, a) }},
		{"Softplus", 1, func(dst, a, _, _ []F) { kernels.Softplus(dst, a) }},
	}
}

// elementwise takes vectors of a tile of the graph executor, which stay in the first-level cache, and vectors that fit no
// cache.
func elementwise[F kernels.Float]() []task {
	var list []task
	for _, s := range []struct {
		name string
		n    int
	}{{"cache", 1024}, {"memory", (24 << 20) / sizeOf[F](1)}} {
		for _, f := range mappings[F]() {
			list = append(list, memoryTask(f.kernel, s.name, sizeOf[F]((f.reads+1)*s.n), func() func() {
				var operands [3][]F
				for k := range f.reads {
					operands[k] = filled[F](s.n)
				}
				dst := filled[F](s.n)
				return func() { f.call(dst, operands[0], operands[1], operands[2]) }
			}))
		}
		list = append(list,
			memoryTask("Sum", s.name, sizeOf[F](s.n), func() func() {
				a := filled[F](s.n)
				return func() { kernels.Sum(a) }
			}),
			memoryTask("Convert", s.name, sizeOf[F](s.n)+8*s.n, func() func() {
				dst, a := filled[F](s.n), filled[float64](s.n)
				return func() { kernels.Convert(dst, a) }
			}))
	}
	return list
}
