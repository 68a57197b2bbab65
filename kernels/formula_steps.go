package kernels

// interpret does one instruction on n numbers.
func interpret[F Float](in *Instr, memory [][]F, n int) {
	dst, a := memory[in.Dst][:n], memory[in.A]
	switch in.Op {
	case OpCopy:
		copy(dst, a[:n])
	case OpAdd:
		Add(dst, a, memory[in.B])
	case OpSub:
		Sub(dst, a, memory[in.B])
	case OpMul:
		Mul(dst, a, memory[in.B])
	case OpNeg:
		Neg(dst, a)
	case OpScale:
		Scale(dst, a, F(in.S))
	case OpAddScalar:
		AddScalar(dst, a, F(in.S))
	case OpTanh:
		Tanh(dst, a)
	case OpExp:
		Exp(dst, a)
	case OpSqrt:
		Sqrt(dst, a)
	case OpRecip:
		Recip(dst, a)
	case OpSigmoid:
		Sigmoid(dst, a)
	case OpSoftplus:
		Softplus(dst, a)
	case OpSquare:
		Square(dst, a)
	case OpSwitch:
		Switch(dst, a, in.S, in.T, in.N)
	case OpStep:
		Step(dst, a)
	default:
		interpretCombined(in, memory, dst, a)
	}
}

func interpretCombined[F Float](in *Instr, memory [][]F, dst, a []F) {
	switch in.Op {
	case OpMulMul:
		MulMul(dst, a, memory[in.B], F(in.S))
	case OpAddScaled:
		AddScaled(dst, a, memory[in.B], F(in.S))
	case OpMulAdd:
		MulAdd(dst, a, memory[in.B], memory[in.C])
	case OpMulSub:
		MulSub(dst, a, memory[in.B], memory[in.C])
	case OpSubMul:
		SubMul(dst, a, memory[in.B], memory[in.C])
	case OpQuadratic:
		Quadratic(dst, a, F(in.S), F(in.T))
	}
}
