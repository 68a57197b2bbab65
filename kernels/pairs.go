package kernels

// The pair functions work on all ordered pairs (j, k) of the rows of a segment; pair[s] is the number of the first pair
// of segment s, and with n rows from f on, (j, k) has the number pair[s] + (j-f)*n + (k-f). Rows have heads*d columns,
// those of a head adjacent; pairs have heads columns.

// PairDot sets each pair's number of head h to the scalar product of row j of a and row k of b within that head.
func PairDot[F Float](dst, a, b []F, start, pair []int32, first, last, heads, d int) {
	w := heads * d
	for s := first; s < last; s++ {
		f, n := int(start[s]), int(start[s+1]-start[s])
		out := dst[int(pair[s])*heads:]
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

// PairApply sets row j of dst, within head h, to the sum over k of the pair's weight and row k of b.
func PairApply[F Float](dst, weight, b []F, start, pair []int32, first, last, heads, d int) {
	w := heads * d
	for s := first; s < last; s++ {
		f, n := int(start[s]), int(start[s+1]-start[s])
		g := weight[int(pair[s])*heads:]
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
	for s := first; s < last; s++ {
		f, n := int(start[s]), int(start[s+1]-start[s])
		g := weight[int(pair[s])*heads:]
		clear(dst[f*w : (f+n)*w])
		for j := range n {
			x := a[(f+j)*w : (f+j+1)*w]
			for k := range n {
				addHeads(dst[(f+k)*w:(f+k+1)*w], x, g[(j*n+k)*heads:(j*n+k+1)*heads], d)
			}
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
