#include "textflag.h"

// func callCode(entry uintptr, args *arguments)
//
// The code returns to the caller of callCode. It uses no stack, keeps BP, and may change all other registers.
TEXT ·callCode(SB), NOSPLIT, $0-16
	MOVQ entry+0(FP), AX
	MOVQ args+8(FP), DI
	JMP  AX
