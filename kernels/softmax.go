package kernels

import "math"

// SegSoftmax sets each column of dst within a segment to exp(x) divided by its sum over the segment. If phantom is not
// nil, the sum of segment s also has phantom[s] terms exp(value). scratch needs (last-first)*cols numbers.
func SegSoftmax[F Float](dst, x, phantom []F, value float64, start []int32, first, last, cols int, scratch []float64) {
	if first >= last {
		return
	}
	if be := backendOf[F](); be.softmax != nil && cols > 0 && be.lanes%cols == 0 {
		softmaxSegments(be, dst, x, phantom, F(value), start, first, last, cols)
		return
	}
	for s := first; s < last; s++ {
		ghosts := 0.0
		if phantom != nil {
			ghosts = float64(phantom[s])
		}
		from, to := int(start[s])*cols, int(start[s+1])*cols
		extra := scratch[(s-first)*cols : (s-first+1)*cols]
		for c := range extra {
			extra[c] = lower(dst[from:to], x[from:to], c, cols, ghosts, value)
		}
	}
	all := dst[int(start[first])*cols : int(start[last])*cols]
	Exp(all, all)
	for s := first; s < last; s++ {
		from, to := int(start[s])*cols, int(start[s+1])*cols
		for c, sum := range scratch[(s-first)*cols : (s-first+1)*cols] {
			divide(dst[from:to], c, cols, sum)
		}
	}
}

// softmaxSegments is SegSoftmax where whole vectors hold whole rows.
func softmaxSegments[F Float](be *backend[F], dst, x, phantom []F, value F, start []int32, first, last, cols int) {
	for s := first; s < last; s++ {
		from, to := int(start[s])*cols, int(start[s+1])*cols
		if from == to {
			continue
		}
		least, count := F(math.Inf(-1)), F(0)
		if phantom != nil && phantom[s] > 0 {
			least, count = value, phantom[s]
		}
		_, _ = dst[to-1], x[to-1]
		be.softmax(&dst[from], &x[from], to-from, cols, least, count)
	}
}

// lower sets column c of dst to that of x minus the largest exponent in its sum, and returns what the phantoms
// contribute to the sum.
func lower[F Float](dst, x []F, c, cols int, ghosts, value float64) float64 {
	top := F(math.Inf(-1))
	if ghosts > 0 {
		top = F(value)
	}
	for i := c; i < len(x); i += cols {
		if v := x[i]; v > top {
			top = v
		}
	}
	dst = dst[:len(x)]
	for i := c; i < len(x); i += cols {
		dst[i] = x[i] - top
	}
	if ghosts > 0 {
		return ghosts * math.Exp(value-float64(top))
	}
	return 0
}

// divide divides column c of dst by its sum, to which sum is added.
func divide[F Float](dst []F, c, cols int, sum float64) {
	for i := c; i < len(dst); i += cols {
		sum += float64(dst[i])
	}
	factor := F(1 / sum)
	for i := c; i < len(dst); i += cols {
		dst[i] *= factor
	}
}
