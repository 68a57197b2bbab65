package x86

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// instructions are what the package can write, beside what it must mean. Registers are chosen so that every bit of
// their numbers is seen 0 and 1 in every place.
var instructions = []struct {
	target Target
	write  func(a *Assembler)
	means  string
}{
	{Target{Wide: true}, func(a *Assembler) { a.Move(1, Reg(2)) }, "vmovups zmm1, zmm2"},
	{Target{Wide: true}, func(a *Assembler) { a.Move(31, At(BX, CX)) }, "vmovups zmm31, zmmword ptr [rbx + rcx]"},
	{Target{Wide: true}, func(a *Assembler) { a.Store(R8, CX, 9) }, "vmovups zmmword ptr [r8 + rcx], zmm9"},
	{Target{Wide: true}, func(a *Assembler) { a.Store(R13, R9, 16) }, "vmovups zmmword ptr [r13 + r9], zmm16"},
	{Target{Wide: true}, func(a *Assembler) { a.LoadMasked(20, SI, CX, 0) }, "vmovups zmm20 {k1} {z}, zmmword ptr [rsi + rcx]"},
	{Target{Wide: true}, func(a *Assembler) { a.StoreMasked(SI, CX, 20, 0) }, "vmovups zmmword ptr [rsi + rcx] {k1}, zmm20"},
	{Target{Wide: true}, func(a *Assembler) { a.Add(1, 2, Reg(3)) }, "vaddps zmm1, zmm2, zmm3"},
	{Target{Wide: true}, func(a *Assembler) { a.Add(17, 26, Reg(29)) }, "vaddps zmm17, zmm26, zmm29"},
	{Target{Wide: true}, func(a *Assembler) { a.Sub(8, 15, At(AX, CX)) }, "vsubps zmm8, zmm15, zmmword ptr [rax + rcx]"},
	{Target{Wide: true}, func(a *Assembler) { a.Mul(24, 7, Reg(8)) }, "vmulps zmm24, zmm7, zmm8"},
	{Target{Wide: true}, func(a *Assembler) { a.Div(0, 1, Reg(16)) }, "vdivps zmm0, zmm1, zmm16"},
	{Target{Wide: true}, func(a *Assembler) { a.Min(1, 1, Reg(1)) }, "vminps zmm1, zmm1, zmm1"},
	{Target{Wide: true}, func(a *Assembler) { a.Max(1, 1, Reg(1)) }, "vmaxps zmm1, zmm1, zmm1"},
	{Target{Wide: true}, func(a *Assembler) { a.Sqrt(4, Reg(5)) }, "vsqrtps zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.MulAddFrom(3, 4, Reg(5)) }, "vfmadd213ps zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.MulSubFrom(3, 4, Reg(5)) }, "vfmsub213ps zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.SubMulFrom(3, 4, Reg(5)) }, "vfnmadd213ps zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.ScaleAdd(3, 4, Reg(5)) }, "vfmadd132ps zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.AddProduct(3, 4, Reg(5)) }, "vfmadd231ps zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.SubProductFrom(3, 4, Reg(5)) }, "vfmsub231ps zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.SubProduct(3, 4, Reg(5)) }, "vfnmadd231ps zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.And(3, 4, Reg(5)) }, "vpandd zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.Or(3, 4, Reg(5)) }, "vpord zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.Xor(3, 4, Reg(5)) }, "vpxord zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.Round(3, Reg(5)) }, "vrndscaleps zmm3, zmm5, 8"},
	{Target{Wide: true}, func(a *Assembler) { a.Scale(3, 4, Reg(5)) }, "vscalefps zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.Integers(3, Reg(5)) }, "vcvtps2dq zmm3, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.AddIntegers(3, 4, Reg(5)) }, "vpaddd zmm3, zmm4, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.ShiftLeft(3, 20, 23) }, "vpslld zmm3, zmm20, 23"},
	{Target{Wide: true}, func(a *Assembler) { a.SelectNegative(3, 17, 5, 21) }, "vpmovd2m k2, zmm17\nvblendmps zmm3 {k2}, zmm21, zmm5"},
	{Target{Wide: true}, func(a *Assembler) { a.Add(1, 2, Word(3)) }, "vaddps zmm1, zmm2, dword ptr [rip + 54]{1to16}"},
	{Target{Wide: true}, func(a *Assembler) { a.Broadcast(30, 3) }, "vbroadcastss zmm30, dword ptr [rip + 54]"},

	{Target{Wide: true, Double: true}, func(a *Assembler) { a.Move(31, At(BX, CX)) }, "vmovupd zmm31, zmmword ptr [rbx + rcx]"},
	{Target{Wide: true, Double: true}, func(a *Assembler) { a.LoadMasked(20, SI, CX, 0) }, "vmovupd zmm20 {k1} {z}, zmmword ptr [rsi + rcx]"},
	{Target{Wide: true, Double: true}, func(a *Assembler) { a.Add(17, 26, Reg(29)) }, "vaddpd zmm17, zmm26, zmm29"},
	{Target{Wide: true, Double: true}, func(a *Assembler) { a.MulAddFrom(3, 4, Reg(5)) }, "vfmadd213pd zmm3, zmm4, zmm5"},
	{Target{Wide: true, Double: true}, func(a *Assembler) { a.Xor(3, 4, Word(1<<63)) }, "vpxorq zmm3, zmm4, qword ptr [rip + 54]{1to8}"},
	{Target{Wide: true, Double: true}, func(a *Assembler) { a.Round(3, Reg(5)) }, "vrndscalepd zmm3, zmm5, 8"},
	{Target{Wide: true, Double: true}, func(a *Assembler) { a.Scale(3, 4, Reg(5)) }, "vscalefpd zmm3, zmm4, zmm5"},
	{Target{Wide: true, Double: true}, func(a *Assembler) { a.ShiftLeft(3, 20, 52) }, "vpsllq zmm3, zmm20, 52"},
	{Target{Wide: true, Double: true}, func(a *Assembler) { a.SelectNegative(3, 17, 5, 21) }, "vpmovq2m k2, zmm17\nvblendmpd zmm3 {k2}, zmm21, zmm5"},
	{Target{Wide: true, Double: true}, func(a *Assembler) { a.Broadcast(30, 3) }, "vbroadcastsd zmm30, qword ptr [rip + 54]"},

	{Target{}, func(a *Assembler) { a.Move(1, Reg(10)) }, "vmovups ymm1, ymm10"},
	{Target{}, func(a *Assembler) { a.Store(R13, R9, 14) }, "vmovups ymmword ptr [r13 + r9], ymm14"},
	{Target{}, func(a *Assembler) { a.LoadMasked(9, SI, CX, 15) }, "vmaskmovps ymm9, ymm15, ymmword ptr [rsi + rcx]"},
	{Target{}, func(a *Assembler) { a.StoreMasked(SI, CX, 9, 15) }, "vmaskmovps ymmword ptr [rsi + rcx], ymm15, ymm9"},
	{Target{}, func(a *Assembler) { a.Add(12, 5, Reg(11)) }, "vaddps ymm12, ymm5, ymm11"},
	{Target{}, func(a *Assembler) { a.MulAddFrom(3, 4, Reg(5)) }, "vfmadd213ps ymm3, ymm4, ymm5"},
	{Target{}, func(a *Assembler) { a.And(3, 4, Word(7)) }, "vpand ymm3, ymm4, ymmword ptr [rip + 55]"},
	{Target{}, func(a *Assembler) { a.Round(3, Reg(5)) }, "vroundps ymm3, ymm5, 8"},
	{Target{}, func(a *Assembler) { a.Integers(3, Reg(5)) }, "vcvtps2dq ymm3, ymm5"},
	{Target{}, func(a *Assembler) { a.AddIntegers(3, 4, Reg(5)) }, "vpaddd ymm3, ymm4, ymm5"},
	{Target{}, func(a *Assembler) { a.ShiftLeft(3, 10, 23) }, "vpslld ymm3, ymm10, 23"},
	{Target{}, func(a *Assembler) { a.SelectNegative(3, 12, 5, 11) }, "vblendvps ymm3, ymm11, ymm5, ymm12"},
	{Target{}, func(a *Assembler) { a.Broadcast(13, 3) }, "vbroadcastss ymm13, dword ptr [rip + 55]"},
	{Target{Double: true}, func(a *Assembler) { a.Sqrt(4, Reg(15)) }, "vsqrtpd ymm4, ymm15"},
	{Target{Double: true}, func(a *Assembler) { a.LoadMasked(9, SI, CX, 15) }, "vmaskmovpd ymm9, ymm15, ymmword ptr [rsi + rcx]"},
	{Target{Double: true}, func(a *Assembler) { a.StoreMasked(SI, CX, 9, 15) }, "vmaskmovpd ymmword ptr [rsi + rcx], ymm15, ymm9"},
	{Target{Double: true}, func(a *Assembler) { a.SubProduct(3, 4, Reg(5)) }, "vfnmadd231pd ymm3, ymm4, ymm5"},
	{Target{Double: true}, func(a *Assembler) { a.Round(3, Reg(5)) }, "vroundpd ymm3, ymm5, 8"},
	{Target{Double: true}, func(a *Assembler) { a.ShiftLeft(3, 10, 52) }, "vpsllq ymm3, ymm10, 52"},
	{Target{Double: true}, func(a *Assembler) { a.SelectNegative(3, 12, 5, 11) }, "vblendvpd ymm3, ymm11, ymm5, ymm12"},
	{Target{Double: true}, func(a *Assembler) { a.Broadcast(13, 3) }, "vbroadcastsd ymm13, qword ptr [rip + 55]"},

	{Target{}, func(a *Assembler) { a.Load(R12, DI, 296) }, "mov r12, qword ptr [rdi + 296]"},
	{Target{}, func(a *Assembler) { a.Load(AX, DI, 8) }, "mov rax, qword ptr [rdi + 8]"},
	{Target{}, func(a *Assembler) { a.Zero(CX) }, "xor rcx, rcx"},
	{Target{}, func(a *Assembler) { a.Zero(R15) }, "xor r15, r15"},
	{Target{}, func(a *Assembler) { a.AddSmall(CX, 64) }, "add rcx, 64"},
	{Target{}, func(a *Assembler) { a.Compare(CX, DX) }, "cmp rcx, rdx"},
	{Target{}, func(a *Assembler) { a.Compare(R9, SI) }, "cmp r9, rsi"},
	{Target{}, func(a *Assembler) { a.SetMask(1, AX) }, "kmovw k1, eax"},
	{Target{}, func(a *Assembler) { a.SetMask(2, R9) }, "kmovw k2, r9d"},
	{Target{}, func(a *Assembler) { a.JumpBack(Below, 0) }, "jb -6"},
	{Target{}, func(a *Assembler) { here := a.Jump(Equal); a.Zero(CX); here() }, "je 3\nxor rcx, rcx"},
	{Target{}, func(a *Assembler) { a.Return() }, "vzeroupper\nret"},
}

// TestEncoding compares with testdata/encoding.txt, which holds bytes and what a disassembler that knows nothing of this
// package made of them. Long names of memory operands are part of it.
func TestEncoding(t *testing.T) {
	file, err := os.ReadFile("testdata/encoding.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]string{} // code by meaning
	for lines := bufio.NewScanner(bytes.NewReader(file)); lines.Scan(); {
		code, means, ok := strings.Cut(lines.Text(), "\t")
		if !ok {
			t.Fatalf("line %q has no tab", lines.Text())
		}
		known[strings.ReplaceAll(means, "; ", "\n")] = code
	}
	for _, in := range instructions {
		a := New(in.target)
		in.write(a)
		n := a.Len()
		for len(a.code) < 64 { // constants come at a known distance
			a.code = append(a.code, 0)
		}
		if got := hex.EncodeToString(a.Finish()[:n]); got != known[in.means] {
			t.Errorf("%s: got %s, want %s", strings.ReplaceAll(in.means, "\n", "; "), got, known[in.means])
		}
	}
	if len(known) != len(instructions) {
		t.Errorf("testdata has %d lines for %d instructions", len(known), len(instructions))
	}
}
