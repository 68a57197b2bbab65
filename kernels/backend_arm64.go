package kernels

// machinePaths returns the instruction sets that the processor has: every processor of this architecture has NEON.
func machinePaths() []*path { return []*path{{"neon", neonF32(), neonF64()}} }

func neonF32() *backend[float32] {
	return &backend[float32]{
		lanes: 4, heights: []int{8, 4, 3, 2, 1},
		narrow: []tile[float32]{tile8x1NEONF32, tile4x1NEONF32, tile3x1NEONF32, tile2x1NEONF32, tile1x1NEONF32},
		wide:   []tile[float32]{tile8x2NEONF32, tile4x2NEONF32, tile3x2NEONF32, tile2x2NEONF32, tile1x2NEONF32},
		dots:   dotsNEONF32,
		add:    addNEONF32, sub: subNEONF32, mul: mulNEONF32, scale: mulNumberNEONF32, shift: addNumberNEONF32,
		mulMul: mulMulNEONF32, addScaled: addScaledNEONF32, quadratic: quadraticNEONF32,
		mulAdd: mulAddNEONF32, mulSub: mulSubNEONF32, subMul: subMulNEONF32,
		square: squareNEONF32, recip: recipNEONF32, sqrt: sqrtNEONF32,
		copyRows: copyRowsNEONF32, repeatCol: repeatColNEONF32, gatherRows: gatherRowsNEONF32,
		sumList: sumListNEONF32, sumRun: sumRunNEONF32, addRows: addRowsNEONF32,
		exp: expNEONF32, tanh: tanhNEONF32, sigmoid: sigmoidNEONF32,
	}
}

func neonF64() *backend[float64] {
	return &backend[float64]{
		lanes: 2, heights: []int{8, 4, 3, 2, 1},
		narrow: []tile[float64]{tile8x1NEONF64, tile4x1NEONF64, tile3x1NEONF64, tile2x1NEONF64, tile1x1NEONF64},
		wide:   []tile[float64]{tile8x2NEONF64, tile4x2NEONF64, tile3x2NEONF64, tile2x2NEONF64, tile1x2NEONF64},
		dots:   dotsNEONF64,
		add:    addNEONF64, sub: subNEONF64, mul: mulNEONF64, scale: mulNumberNEONF64, shift: addNumberNEONF64,
		mulMul: mulMulNEONF64, addScaled: addScaledNEONF64, quadratic: quadraticNEONF64,
		mulAdd: mulAddNEONF64, mulSub: mulSubNEONF64, subMul: subMulNEONF64,
		square: squareNEONF64, recip: recipNEONF64, sqrt: sqrtNEONF64,
		copyRows: copyRowsNEONF64, repeatCol: repeatColNEONF64, gatherRows: gatherRowsNEONF64,
		sumList: sumListNEONF64, sumRun: sumRunNEONF64, addRows: addRowsNEONF64,
		exp: expNEONF64, tanh: tanhNEONF64, sigmoid: sigmoidNEONF64,
	}
}
