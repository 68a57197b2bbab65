package graph

import "fmt"

// op is a primitive operation.
type op uint8

const (
	opInput op = iota
	opParam
	opConst
	opFull

	// Elementwise; opAdd must be the first and opStep the last.
	opAdd
	opSub
	opMul
	opNeg
	opScale
	opAddScalar
	opTanh
	opExp
	opSqrt
	opRecip
	opSigmoid
	opSoftplus
	opSquare
	opSwitch
	opStep

	opSumRows
	opSumCols
	opBroadcastRows
	opBroadcastCols

	opMatMul
	opBatchMatMul

	opReshape
	opConcat
	opSlice
	opPlace
	opPermute

	opGather
	opScatter
	opSegOuter
	opRowApply
	opRowApplyT
	opPairDot
	opPairApply
	opPairApplyT
	opSegSoftmax

	opTranspose // of Fixed rows; made by Compile only

	// Only in tilePrograms.
	opMulMul    // c*a*b
	opAddScaled // a + c*b
	opMulAdd
	opMulSub
	opSubMul    // third operand minus a*b
	opQuadratic // c[0]*a*a + c[1]

	numOps
)

var opNames = [numOps]string{
	"Input", "Param", "Const", "Full",
	"Add", "Sub", "Mul", "Neg", "Scale", "AddScalar", "Tanh", "Exp", "Sqrt", "Recip", "Sigmoid", "Softplus",
	"Square", "Switch", "Step",
	"SumRows", "SumCols", "BroadcastRows", "BroadcastCols",
	"MatMul", "BatchMatMul",
	"Reshape", "Concat", "Slice", "Place", "Permute",
	"Gather", "Scatter", "SegOuter", "RowApply", "RowApplyT", "PairDot", "PairApply", "PairApplyT", "SegSoftmax",
	"Transpose",
	"MulMul", "AddScaled", "MulAdd", "MulSub", "SubMul", "Quadratic",
}

// String returns the name of the Builder method.
func (o op) String() string { return opNames[o] }

// elementwise reports whether each number of the result depends on one number of each operand.
func (o op) elementwise() bool { return o >= opAdd && o <= opStep }

// misuse panics for a wrong call of a Builder method.
func misuse(o op, format string, args ...any) {
	panic(fmt.Sprintf("graph: %v: %s", o, fmt.Sprintf(format, args...)))
}

// want panics unless ok.
func want(ok bool, o op, format string, args ...any) {
	if !ok {
		misuse(o, format, args...)
	}
}
