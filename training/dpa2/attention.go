package dpa2

import (
	"math"

	"github.com/fedlam/fedlam/training/graph"
)

// attentionShift is the constant by which smooth attention moves scores, so that neighbours at the cut-off weigh
// e^−20 like empty slots.
const attentionShift = 20.0

// headMajor returns the permutation that brings columns d·heads + h (head fastest, as files have them) to h·width + d.
func headMajor(width, heads int) []int {
	perm := make([]int, 0, width*heads)
	for h := range heads {
		for d := range width {
			perm = append(perm, d*heads+h)
		}
	}
	return perm
}

// attentionMap returns a [P x heads] of SPEC 3.5, the last factor included:
//
//	a = softmax((e·gate + 20)·sw_j·sw_k − 20) · sw_j·sw_k · (h_j·h_k)/√3,   gate = h_j·h_k or 1
//
// With vectors h·sw/3^¼ the last two factors are one scalar product, gated, and √3 times it is gate·sw·sw.
func (f *repformerGraph) attentionMap(qk linear, g2, h2 *graph.Tensor) *graph.Tensor {
	hidden, heads := f.rep.Attn2Hidden, f.rep.Attn2NHead
	vectors := f.switched(f.Scale(h2, math.Pow(3, -0.25)))
	gated := f.PairDot(vectors, vectors, f.pairs, 1)
	scale := 1 / math.Sqrt(float64(hidden))
	if f.rep.Attn2HasGate {
		scale *= math.Sqrt(3)
	}
	w := f.Permute(f.weight(qk), headMajor(hidden, 2*heads))
	q := f.MatMul(g2, f.Scale(f.Slice(w, 0, hidden*heads), scale), graph.N, graph.N)
	k := f.MatMul(g2, f.Slice(w, hidden*heads, 2*hidden*heads), graph.N, graph.N)
	score := f.PairDot(q, k, f.pairs, heads)
	switch {
	case f.rep.Attn2HasGate:
		score = f.Mul(score, gated)
	case f.swsw != nil:
		score = f.Mul(score, f.swsw)
	}
	if f.swsw == nil {
		return f.Mul(f.SegSoftmax(score, f.pairs.Left(), nil, 0), gated)
	}
	shift := f.AddScalar(f.Scale(f.swsw, attentionShift), -attentionShift)
	empty := f.Gather(f.empty, f.list.centre)
	return f.Mul(f.SegSoftmax(f.Add(score, shift), f.pairs.Left(), empty, -attentionShift), gated)
}

// multiHeadApply returns the attention-weighted g2, all heads mapped back to one (before the layer norm).
func (f *repformerGraph) multiHeadApply(maps map[string]linear, attn, g2 *graph.Tensor) *graph.Tensor {
	heads, width := f.rep.Attn2NHead, f.rep.G2Dim
	order := headMajor(width, heads)
	v := f.MatMul(g2, f.Permute(f.weight(maps["attn2_mh_apply/mapv"]), order), graph.N, graph.N)
	out := maps["attn2_mh_apply/head_map"]
	applied := f.PairApply(attn, v, f.pairs, heads)
	return f.finish(out, f.MatMul(applied, f.permuteRows(f.weight(out), order), graph.N, graph.N), nil)
}

// layerNorm normalises each row (SPEC 2.5).
func (f *repformerGraph) layerNorm(path string, x *graph.Tensor) *graph.Tensor {
	n := x.Cols()
	centred := f.Sub(x, f.Scale(f.SumCols(x), 1/float64(n)))
	variance := f.Scale(f.SumCols(f.Square(centred)), 1/float64(n))
	unit := f.Mul(centred, f.Recip(f.Sqrt(f.AddScalar(variance, f.rep.lnEps()))))
	return f.Add(f.Mul(unit, f.param(path+"/@variables/w", 1, n)), f.param(path+"/@variables/b", 1, n))
}

// localAttention returns LocalAtten(g1, g1_j). Keys and values are linear in g1_j, so the maps are applied to the
// atom's side of each product, where rows are atoms and not edges:
//
//	q·k_j = (W_k q)·g1_j    Σ_j a_j v_j = (Σ_j a_j g1_j) W_v
//
// and maps that follow each other are multiplied first, W_q W_kᵀ and W_v W_out.
func (f *repformerGraph) localAttention(maps map[string]linear, g1, neighbours *graph.Tensor) *graph.Tensor {
	hidden, heads, width := f.rep.Attn1Hidden, f.rep.Attn1NHead, f.rep.G1Dim
	out := maps["loc_attn/head_map"]
	wq := f.Permute(f.weight(maps["loc_attn/mapq"]), headMajor(hidden, heads))
	wkv := f.Permute(f.weight(maps["loc_attn/mapkv"]), keyValueOrder(hidden, width, heads))
	wout := f.weight(out)
	var queries, values []*graph.Tensor
	for h := range heads {
		key := f.Slice(wkv, h*hidden, (h+1)*hidden)
		queries = append(queries, f.MatMul(f.Slice(wq, h*hidden, (h+1)*hidden), key, graph.N, graph.T))
		value := f.Slice(wkv, heads*hidden+h*width, heads*hidden+(h+1)*width)
		product := f.MatMul(value, f.rows(wout, h*width, (h+1)*width), graph.N, graph.N)
		values = append(values, f.Reshape(product, graph.Fixed(1), width*width))
	}
	query := f.MatMul(g1, f.Scale(f.Concat(queries...), 1/math.Sqrt(float64(hidden))), graph.N, graph.N)
	score := f.RowApply(query, neighbours, f.list.centre)
	var attn *graph.Tensor
	if f.sw == nil {
		attn = f.SegSoftmax(score, f.list.centre, nil, 0)
	} else {
		// (e + 20)·sw − 20
		shifted := f.AddScalar(f.Mul(f.AddScalar(score, attentionShift), f.sw), -attentionShift)
		attn = f.Mul(f.SegSoftmax(shifted, f.list.centre, f.empty, -attentionShift), f.sw)
	}
	sums := f.SegOuter(attn, neighbours, f.list.centre)
	value := f.Reshape(f.Concat(values...), graph.Fixed(heads*width), width)
	return f.finish(out, f.MatMul(sums, value, graph.N, graph.N), nil)
}

// keyValueOrder brings the columns of mapkv to: keys of head 0, of head 1, ..., values of head 0, of head 1, ...
func keyValueOrder(hidden, width, heads int) []int {
	perm := headMajor(hidden, heads)
	for _, c := range headMajor(width, heads) {
		perm = append(perm, hidden*heads+c)
	}
	return perm
}
