package kernels

// ahead is the memory of the pair functions' next segment. Tiles read many rows at a time, which keeps the processor from
// foreseeing what they need, so it is asked for in parts while the present segment is computed.
type ahead[F Float] struct {
	prefetch    func(p *F, n int)
	a, b, pairs []F
}

// aheadRows is how many rows of a product are computed, by whole tiles, between two requests: few enough for a request to
// be answered in the meantime.
const aheadRows = 12

// aheadOf returns the memory of segment s, whose rows are those of a and b, w wide; none if s is last.
func aheadOf[F Float](be *backend[F], a, b, pairs []F, start, pair []int32, s, last, heads, w int) ahead[F] {
	if s >= last || be.prefetch == nil {
		return ahead[F]{}
	}
	from, to := int(start[s])*w, int(start[s+1])*w
	return ahead[F]{be.prefetch, a[from:to], b[from:to], pairs[int(pair[s])*heads : int(pair[s+1])*heads]}
}

// bring asks for part i of n.
func (x *ahead[F]) bring(i, n int) {
	for _, m := range [...][]F{x.a, x.b, x.pairs} {
		if part := m[len(m)*i/n : len(m)*(i+1)/n]; len(part) > 0 {
			x.prefetch(&part[0], len(part))
		}
	}
}
