package kernels

// The pair functions work on all ordered pairs (j, k) of the rows of a segment; pair[s] is the number of the first pair
// of segment s, and with n rows from f on, (j, k) has the number pair[s] + (j-f)*n + (k-f). Rows have heads*d columns,
// those of a head adjacent; pairs have heads columns. Within a segment and a head, each function is a product of small
// matrices whose elements lie apart in memory.

// PairDotScratch returns how many numbers of scratch PairDot needs where no segment has more than most rows.
func PairDotScratch(most, heads, d int) int { return heads * most * (max(most, d) + d) }

// PairDot sets each pair's number of head h to the scalar product of row j of a and row k of b within that head. scratch
// needs PairDotScratch numbers.
func PairDot[F Float](dst, a, b []F, start, pair []int32, first, last, heads, d int, scratch []F) {
	w := heads * d
	be := backendOf[F]()
	for s := first; s < last; s++ {
		f, n := int(start[s]), int(start[s+1]-start[s])
		out := dst[int(pair[s])*heads:]
		if be.fourHeads != nil && heads == 4 && n > 0 && d > 0 && d%4 == 0 {
			next := aheadOf(be, a, b, dst, start, pair, s+1, last, heads, w)
			pairDotFour(be, out, a[f*w:], b[f*w:], n, d, scratch, next)
			continue
		}
		if be.wide != nil && n > 0 && d > 0 {
			pairDotSegment(be, out, a[f*w:], b[f*w:], n, heads, d, scratch)
			continue
		}
		for j := range n {
			x := a[(f+j)*w : (f+j+1)*w]
			for k := range n {
				y := b[(f+k)*w : (f+k+1)*w]
				o := out[(j*n+k)*heads : (j*n+k+1)*heads]
				for h := range o {
					o[h] = dot(x[h*d:(h+1)*d], y[h*d:(h+1)*d])
				}
			}
		}
	}
}

// pairDotSegment does one segment of n rows, head by head, and puts the results of the heads side by side.
func pairDotSegment[F Float](be *backend[F], out, a, b []F, n, heads, d int, scratch []F) {
	w := heads * d
	columns, dots := scratch[:w*n], scratch[w*n:][:heads*n*n]
	Transpose(columns, b, n, w)
	if heads == 1 {
		strided(be, out, n, a, w, 1, columns, n, n, d, n, 0)
		return
	}
	for h := range heads {
		strided(be, dots[h*n*n:], n, a[h*d:], w, 1, columns[h*d*n:], n, n, d, n, 0)
	}
	h := 0
	for ; h+2 <= heads; h += 2 {
		x, y := dots[h*n*n:][:n*n], dots[(h+1)*n*n:][:n*n]
		for p, v := range x {
			o := out[p*heads+h:][:2]
			o[0], o[1] = v, y[p]
		}
	}
	if h < heads {
		for p, v := range dots[h*n*n:][:n*n] {
			out[p*heads+h] = v
		}
	}
}

// PairApply sets row j of dst, within head h, to the sum over k of the pair's weight and row k of b.
func PairApply[F Float](dst, weight, b []F, start, pair []int32, first, last, heads, d int) {
	w := heads * d
	be := backendOf[F]()
	for s := first; s < last; s++ {
		f, n := int(start[s]), int(start[s+1]-start[s])
		g := weight[int(pair[s])*heads:]
		if be.wide != nil && n > 0 && d > 0 {
			next := aheadOf(be, dst, b, weight, start, pair, s+1, last, heads, w)
			pairApplySegment(be, dst[f*w:], g, n*heads, heads, b[f*w:], n, heads, d, next)
			continue
		}
		for j := range n {
			out := dst[(f+j)*w : (f+j+1)*w]
			clear(out)
			for k := range n {
				y := b[(f+k)*w : (f+k+1)*w]
				addHeads(out, y, g[(j*n+k)*heads:(j*n+k+1)*heads], d)
			}
		}
	}
}

// PairApplyT sets row k of dst, within head h, to the sum over j of the pair's weight and row j of a.
func PairApplyT[F Float](dst, weight, a []F, start, pair []int32, first, last, heads, d int) {
	w := heads * d
	be := backendOf[F]()
	for s := first; s < last; s++ {
		f, n := int(start[s]), int(start[s+1]-start[s])
		g := weight[int(pair[s])*heads:]
		if be.wide != nil && n > 0 && d > 0 {
			next := aheadOf(be, dst, a, weight, start, pair, s+1, last, heads, w)
			pairApplySegment(be, dst[f*w:], g, heads, n*heads, a[f*w:], n, heads, d, next)
			continue
		}
		clear(dst[f*w : (f+n)*w])
		for j := range n {
			x := a[(f+j)*w : (f+j+1)*w]
			for k := range n {
				addHeads(dst[(f+k)*w:(f+k+1)*w], x, g[(j*n+k)*heads:(j*n+k+1)*heads], d)
			}
		}
	}
}

// pairApplySegment does one segment of n rows. The weight of head h that row p of b has in row i of out is
// weight[i*rs+p*cs+h].
func pairApplySegment[F Float](be *backend[F], out, weight []F, rs, cs int, b []F, n, heads, d int, next ahead[F]) {
	w := heads * d
	steps := heads * ((n-1)/aheadRows + 1)
	for i := 0; i < n; i += aheadRows {
		rows := min(aheadRows, n-i)
		for h := range heads {
			next.bring(i/aheadRows*heads+h, steps)
			strided(be, out[i*w+h*d:], w, weight[i*rs+h:], rs, cs, b[h*d:], w, rows, n, d, 0)
		}
	}
}

// addHeads adds to each head of out that of x times the head's weight.
func addHeads[F Float](out, x, weight []F, d int) {
	for h, v := range weight {
		o, y := out[h*d:(h+1)*d], x[h*d:(h+1)*d]
		for e := range o {
			o[e] += v * y[e]
		}
	}
}
