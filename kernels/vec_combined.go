package kernels

// Combinations of two or three elementwise operations that often come together. Where the processor has fused
// multiply-adds, they round once for a product and a sum, so the last bit may differ from that of separate operations.

// MulMul sets dst to s*a*b.
func MulMul[F Float](dst, a, b []F, s F) {
	a, b = a[:len(dst)], b[:len(dst)]
	if f := backendOf[F]().mulMul; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], &b[0], s, len(dst))
		return
	}
	for i := range dst {
		dst[i] = s * a[i] * b[i]
	}
}

// AddScaled sets dst to a + s*b.
func AddScaled[F Float](dst, a, b []F, s F) {
	a, b = a[:len(dst)], b[:len(dst)]
	if f := backendOf[F]().addScaled; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], &b[0], s, len(dst))
		return
	}
	for i := range dst {
		dst[i] = a[i] + s*b[i]
	}
}

// MulAdd sets dst to a*b + c.
func MulAdd[F Float](dst, a, b, c []F) {
	a, b, c = a[:len(dst)], b[:len(dst)], c[:len(dst)]
	if f := backendOf[F]().mulAdd; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], &b[0], &c[0], len(dst))
		return
	}
	for i := range dst {
		dst[i] = a[i]*b[i] + c[i]
	}
}

// MulSub sets dst to a*b - c.
func MulSub[F Float](dst, a, b, c []F) {
	a, b, c = a[:len(dst)], b[:len(dst)], c[:len(dst)]
	if f := backendOf[F]().mulSub; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], &b[0], &c[0], len(dst))
		return
	}
	for i := range dst {
		dst[i] = a[i]*b[i] - c[i]
	}
}

// SubMul sets dst to c - a*b.
func SubMul[F Float](dst, a, b, c []F) {
	a, b, c = a[:len(dst)], b[:len(dst)], c[:len(dst)]
	if f := backendOf[F]().subMul; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], &b[0], &c[0], len(dst))
		return
	}
	for i := range dst {
		dst[i] = c[i] - a[i]*b[i]
	}
}

// Quadratic sets dst to s*a*a + t.
func Quadratic[F Float](dst, a []F, s, t F) {
	a = a[:len(dst)]
	if f := backendOf[F]().quadratic; f != nil && len(dst) > 0 {
		f(&dst[0], &a[0], s, t, len(dst))
		return
	}
	for i, x := range a {
		dst[i] = s*x*x + t
	}
}
