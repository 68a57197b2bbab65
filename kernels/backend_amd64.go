package kernels

import "golang.org/x/sys/cpu"

// machinePaths returns the instruction sets that the processor has, the best first.
func machinePaths() []*path {
	var list []*path
	x := cpu.X86
	if !x.HasAVX2 || !x.HasFMA || !x.HasBMI2 {
		return nil
	}
	if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL {
		list = append(list, &path{"avx512", avx512F32(), avx512F64()})
	}
	return append(list, &path{"avx2", avx2F32(), avx2F64()})
}

func avx512F32() *backend[float32] {
	return &backend[float32]{
		lanes: 16, heights: []int{12, 8, 4, 3, 2, 1},
		half:   []tile[float32]{tile12xhalfAVX512F32, tile8xhalfAVX512F32, tile4xhalfAVX512F32, tile3xhalfAVX512F32, tile2xhalfAVX512F32, tile1xhalfAVX512F32},
		narrow: []tile[float32]{tile12x1AVX512F32, tile8x1AVX512F32, tile4x1AVX512F32, tile3x1AVX512F32, tile2x1AVX512F32, tile1x1AVX512F32},
		wide:   []tile[float32]{tile12x2AVX512F32, tile8x2AVX512F32, tile4x2AVX512F32, tile3x2AVX512F32, tile2x2AVX512F32, tile1x2AVX512F32},
		odd:    []tile[float32]{tile6x3halfAVX512F32, tile3x3halfAVX512F32, tile2x3halfAVX512F32, tile1x3halfAVX512F32},
		dots:   dotsAVX512F32,
		add:    addAVX512F32, sub: subAVX512F32, mul: mulAVX512F32, scale: mulNumberAVX512F32, shift: addNumberAVX512F32,
		mulMul: mulMulAVX512F32, addScaled: addScaledAVX512F32, quadratic: quadraticAVX512F32,
		mulAdd: mulAddAVX512F32, mulSub: mulSubAVX512F32, subMul: subMulAVX512F32,
		square: squareAVX512F32, recip: recipAVX512F32, sqrt: sqrtAVX512F32,
		copyRows: copyRowsAVX512F32, repeatCol: repeatColAVX512F32, gatherRows: gatherRowsAVX512F32, mapRows: mapPlan32,
		sumList: sumListAVX512F32, sumRun: sumRunAVX512F32, sumEach: sumEachAVX512F32, addRows: addRowsAVX512F32,
		softmax: softmaxAVX512F32, prefetch: prefetchAVX512F32,
		fourHeads: &headTiles[float32]{
			arrange: arrangeAVX512F32, heights: []int{12, 4, 2, 1},
			narrow: []tile[float32]{heads12x1AVX512F32, heads4x1AVX512F32, heads2x1AVX512F32, heads1x1AVX512F32},
			wide:   []tile[float32]{heads12x2AVX512F32, heads4x2AVX512F32, heads2x2AVX512F32, heads1x2AVX512F32},
		},
		exp: expAVX512F32, tanh: tanhAVX512F32, sigmoid: sigmoidAVX512F32, switches: switchAVX512F32,
	}
}

func avx512F64() *backend[float64] {
	return &backend[float64]{
		lanes: 8, heights: []int{12, 8, 4, 3, 2, 1},
		half:   []tile[float64]{tile12xhalfAVX512F64, tile8xhalfAVX512F64, tile4xhalfAVX512F64, tile3xhalfAVX512F64, tile2xhalfAVX512F64, tile1xhalfAVX512F64},
		narrow: []tile[float64]{tile12x1AVX512F64, tile8x1AVX512F64, tile4x1AVX512F64, tile3x1AVX512F64, tile2x1AVX512F64, tile1x1AVX512F64},
		wide:   []tile[float64]{tile12x2AVX512F64, tile8x2AVX512F64, tile4x2AVX512F64, tile3x2AVX512F64, tile2x2AVX512F64, tile1x2AVX512F64},
		odd:    []tile[float64]{tile6x3halfAVX512F64, tile3x3halfAVX512F64, tile2x3halfAVX512F64, tile1x3halfAVX512F64},
		dots:   dotsAVX512F64,
		add:    addAVX512F64, sub: subAVX512F64, mul: mulAVX512F64, scale: mulNumberAVX512F64, shift: addNumberAVX512F64,
		mulMul: mulMulAVX512F64, addScaled: addScaledAVX512F64, quadratic: quadraticAVX512F64,
		mulAdd: mulAddAVX512F64, mulSub: mulSubAVX512F64, subMul: subMulAVX512F64,
		square: squareAVX512F64, recip: recipAVX512F64, sqrt: sqrtAVX512F64,
		exp: expAVX512F64, tanh: tanhAVX512F64, sigmoid: sigmoidAVX512F64, switches: switchAVX512F64,
		copyRows: copyRowsAVX512F64, repeatCol: repeatColAVX512F64, gatherRows: gatherRowsAVX512F64, mapRows: mapPlan64,
		sumList: sumListAVX512F64, sumRun: sumRunAVX512F64, sumEach: sumEachAVX512F64, addRows: addRowsAVX512F64,
		softmax: softmaxAVX512F64, prefetch: prefetchAVX512F64,
		fourHeads: &headTiles[float64]{
			arrange: arrangeAVX512F64, heights: []int{12, 4, 2, 1},
			narrow: []tile[float64]{heads12x1AVX512F64, heads4x1AVX512F64, heads2x1AVX512F64, heads1x1AVX512F64},
			wide:   []tile[float64]{heads12x2AVX512F64, heads4x2AVX512F64, heads2x2AVX512F64, heads1x2AVX512F64},
		},
	}
}

func avx2F32() *backend[float32] {
	return &backend[float32]{
		lanes: 8, heights: []int{6, 4, 3, 2, 1},
		narrow: []tile[float32]{tile6x1AVX2F32, tile4x1AVX2F32, tile3x1AVX2F32, tile2x1AVX2F32, tile1x1AVX2F32},
		wide:   []tile[float32]{tile6x2AVX2F32, tile4x2AVX2F32, tile3x2AVX2F32, tile2x2AVX2F32, tile1x2AVX2F32},
		dots:   dotsAVX2F32,
		add:    addAVX2F32, sub: subAVX2F32, mul: mulAVX2F32, scale: mulNumberAVX2F32, shift: addNumberAVX2F32,
		mulMul: mulMulAVX2F32, addScaled: addScaledAVX2F32, quadratic: quadraticAVX2F32,
		mulAdd: mulAddAVX2F32, mulSub: mulSubAVX2F32, subMul: subMulAVX2F32,
		square: squareAVX2F32, recip: recipAVX2F32, sqrt: sqrtAVX2F32,
		copyRows: copyRowsAVX2F32, repeatCol: repeatColAVX2F32, gatherRows: gatherRowsAVX2F32,
		sumList: sumListAVX2F32, sumRun: sumRunAVX2F32, sumEach: sumEachAVX2F32, addRows: addRowsAVX2F32,
		softmax: softmaxAVX2F32, prefetch: prefetchAVX2F32,
		fourHeads: &headTiles[float32]{
			arrange: arrangeAVX2F32, heights: []int{6, 2, 1},
			narrow: []tile[float32]{heads6x1AVX2F32, heads2x1AVX2F32, heads1x1AVX2F32},
			wide:   []tile[float32]{heads6x2AVX2F32, heads2x2AVX2F32, heads1x2AVX2F32},
		},
		exp: expAVX2F32, tanh: tanhAVX2F32, sigmoid: sigmoidAVX2F32, switches: switchAVX2F32,
	}
}

func avx2F64() *backend[float64] {
	return &backend[float64]{
		lanes: 4, heights: []int{6, 4, 3, 2, 1},
		narrow: []tile[float64]{tile6x1AVX2F64, tile4x1AVX2F64, tile3x1AVX2F64, tile2x1AVX2F64, tile1x1AVX2F64},
		wide:   []tile[float64]{tile6x2AVX2F64, tile4x2AVX2F64, tile3x2AVX2F64, tile2x2AVX2F64, tile1x2AVX2F64},
		dots:   dotsAVX2F64,
		add:    addAVX2F64, sub: subAVX2F64, mul: mulAVX2F64, scale: mulNumberAVX2F64, shift: addNumberAVX2F64,
		mulMul: mulMulAVX2F64, addScaled: addScaledAVX2F64, quadratic: quadraticAVX2F64,
		mulAdd: mulAddAVX2F64, mulSub: mulSubAVX2F64, subMul: subMulAVX2F64,
		square: squareAVX2F64, recip: recipAVX2F64, sqrt: sqrtAVX2F64,
		exp: expAVX2F64, tanh: tanhAVX2F64, sigmoid: sigmoidAVX2F64, switches: switchAVX2F64,
		copyRows: copyRowsAVX2F64, repeatCol: repeatColAVX2F64, gatherRows: gatherRowsAVX2F64,
		sumList: sumListAVX2F64, sumRun: sumRunAVX2F64, sumEach: sumEachAVX2F64, addRows: addRowsAVX2F64,
		softmax: softmaxAVX2F64, prefetch: prefetchAVX2F64,
		fourHeads: &headTiles[float64]{
			arrange: arrangeAVX2F64, heights: []int{6, 2, 1},
			narrow: []tile[float64]{heads6x1AVX2F64, heads2x1AVX2F64, heads1x1AVX2F64},
			wide:   []tile[float64]{heads6x2AVX2F64, heads2x2AVX2F64, heads1x2AVX2F64},
		},
	}
}

func mapPlan32(dst, src *float32, p *lanePlan, groups, step int) {
	mapRowsAVX512F32(dst, src, &p.index32[0], &p.offsets[0], p.phases, groups, step)
}

func mapPlan64(dst, src *float64, p *lanePlan, groups, step int) {
	mapRowsAVX512F64(dst, src, &p.index64[0], &p.offsets[0], p.phases, groups, step)
}
