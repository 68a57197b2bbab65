package cuda_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// TestFakeRefuses holds the fake driver to what it has to refuse, as NVIDIA's assembler does.
func TestFakeRefuses(t *testing.T) {
	d := cudatest.Open(t)
	const kernel = `.visible .entry k(
	.param .u64 k_param_0,
	.param .f32 k_param_1
)
.maxntid 128, 1, 1
{
	.reg .pred %p<2>;
	.reg .b32 %r<3>;
	.reg .b64 %rd<4>;
	.reg .f32 %f<3>;
	.reg .f64 %fd<2>;
	ld.param.u64 %rd1, [k_param_0];
	cvta.to.global.u64 %rd1, %rd1;
	ld.param.f32 %f1, [k_param_1];
	mov.u32 %r1, %tid.x;
	mul.wide.u32 %rd2, %r1, 4;
	add.s64 %rd3, %rd1, %rd2;
	setp.lt.u32 %p1, %r1, 7;
	@%p1 bra $L1;
	ret;
$L1:
	fma.rn.f32 %f2, %f1, 0f40000000, %f1;
	st.global.f32 [%rd3+4], %f2;
	ret;
}
`
	for _, c := range []struct{ name, from, to, want string }{
		{"nothing", "", "", ""},
		{"unknown instruction", "fma.rn.f32", "fma.rd.f32", "unknown instruction fma.rd.f32"},
		{"no rounding", "fma.rn.f32", "fma.f32", "unknown instruction fma.f32"},
		{"type of an instruction", "fma.rn.f32", "fma.rn.f64", "fma.rn.f64 cannot have %f2 there"},
		{"type of an operand", "0f40000000, %f1", "0f40000000, %r1", "fma.rn.f32 cannot have %r1 there"},
		{"type of a constant", "0f40000000", "0d4000000000000000", "number 0d4000000000000000 for fma.rn.f32"},
		{"digits of a constant", "0f40000000", "0f4000000g", "number 0f4000000g"},
		{"undeclared register", "%f2, %f1, 0f", "%f3, %f1, 0f", "register %f3 is not declared"},
		{"registers not declared at all", "	.reg .f32 %f<3>;\n", "", "register %f1 is not declared"},
		{"registers declared twice", "	.reg .f64 %fd<2>;\n", "	.reg .f32 %f<9>;\n", "declared twice"},
		{"too few operands", ", 0f40000000, %f1", ", 0f40000000", "';' instead of ','"},
		{"too many operands", ", 0f40000000, %f1", ", 0f40000000, %f1, %f1", "',' instead of ';'"},
		{"constant as a result", "%f2, %f1, 0f", "0f00000000, %f1, 0f", "fma.rn.f32 sets no register"},
		{"missing label", "$L1:", "$L2:", "no label $L1"},
		{"label twice", "$L1:", "$L1:\n$L1:", "label $L1 twice"},
		{"condition that is none", "@%p1", "@%r1", "a condition %r1"},
		{"missing parameter", "[k_param_1]", "[k_param_2]", "no parameter k_param_2"},
		{"type of a parameter", "ld.param.f32 %f1, [k_param_1]", "ld.param.f32 %f1, [k_param_0]", "another type"},
		{"name of a parameter", ".param .f32 k_param_1", ".param .f32 k_param_2", "'k_param_2' instead of 'k_param_1'"},
		{"address of 32 bits", "[%rd3+4]", "[%r1+4]", "st.global.f32 cannot have %r1 there"},
		{"shared memory not declared", "mov.u32 %r1, %tid.x", "mov.u64 %rd2, dynamic_shared", "dynamic_shared is not declared"},
		{"special register in 64 bits", "mov.u32 %r1, %tid.x", "mov.u64 %rd2, %tid.x", "cannot have %tid.x there"},
		{"no end", "	ret;\n}", "}", "does not end with ret"},
		{"nothing after an instruction", "%f1, 0f40000000, %f1;", "%f1, 0f40000000, %f1", "instead of ';'"},
		{"kernel twice", "ret;\n}\n", "ret;\n}\n" + strings.ReplaceAll(kernel, "$L1", "$L9"), "kernel k twice"},
		{"another target", "sm_75", "sm_10", "'sm_10' instead of 'sm_75'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			head := strings.Replace(cuda.ModuleHead, ".extern .shared .align 8 .b8 dynamic_shared[];\n", "", 1)
			text := head + kernel
			if !strings.Contains(text, c.from) {
				t.Fatalf("there is no %q to replace", c.from)
			}
			if c.from != "" {
				text = strings.Replace(text, c.from, c.to, 1)
			}
			err := cuda.LoadText(d, "k", text)
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestFakeFinds has kernels do what a GPU may or may not show: the fake has to.
func TestFakeFinds(t *testing.T) {
	const begin = `.visible .entry k(
	.param .u64 k_param_0
)
.maxntid 128, 1, 1
{
	.reg .pred %p<2>;
	.reg .b32 %r<3>;
	.reg .b64 %rd<6>;
	.reg .f64 %fd<3>;
	ld.param.u64 %rd1, [k_param_0];
	mov.u64 %rd2, dynamic_shared;
	mov.u32 %r1, %tid.x;
	setp.lt.u32 %p1, %r1, 32;
	mul.wide.u32 %rd3, %r1, 8;
	add.s64 %rd4, %rd2, %rd3;
	add.s64 %rd5, %rd1, %rd3;
	mov.f64 %fd1, 0d3FF0000000000000;
`
	const end = "	ret;\n}\n"
	for _, c := range []struct{ name, body, want string }{
		{"nothing", "st.shared.f64 [%rd4], %fd1;\nbar.sync 0;\nld.shared.f64 %fd2, [%rd2+8];\nst.global.f64 [%rd5], %fd2;\n", ""},
		{"no barrier before a load", "st.shared.f64 [%rd4], %fd1;\nld.shared.f64 %fd2, [%rd2+8];\n", "a barrier is missing"},
		{"no barrier before a store", "ld.shared.f64 %fd2, [%rd2];\nst.shared.f64 [%rd4], %fd1;\n", "a barrier is missing"},
		{"two threads store", "st.shared.f64 [%rd2], %fd1;\n", "a barrier is missing"},
		{"barrier of some threads", "@%p1 bra $L1;\nbar.sync 0;\n$L1:\n", "some threads of a block ended while others wait"},
		{"different barriers", "@%p1 bra $L1;\nbar.sync 0;\nret;\n$L1:\nbar.sync 0;\n", "threads wait at different barriers"},
		{"beyond shared memory", "st.shared.f64 [%rd4+1032], %fd1;\n", "outside of shared memory"},
		{"load before memory", "ld.global.f64 %fd2, [%rd5+-8];\n", "outside of allocated memory"},
		{"load beyond memory", "ld.global.f64 %fd2, [%rd5+8];\n", "outside of allocated memory"},
		{"store beyond memory", "st.global.f64 [%rd5+1024], %fd1;\n", "outside of allocated memory"},
		{"not aligned", "@%p1 ld.global.f64 %fd2, [%rd5+4];\n", "not aligned"},
		{"half of a vector", "ld.global.v2.f64 {%fd1, %fd2}, [%rd1+8];\n", "not aligned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t)})
			if err != nil {
				t.Fatal(err)
			}
			s, err := d.NewStream()
			if err != nil {
				t.Fatal(err)
			}
			a, err := d.NewArena(128 * 8)
			if err != nil {
				t.Fatal(err)
			}
			if err := cuda.LoadText(d, "k", cuda.ModuleHead+begin+c.body+end); err != nil {
				t.Fatal(err)
			}
			x := take[float64](a, t, 128)
			var r cuda.Recorder
			cuda.Launch(&r, "", "k", 1, 128, 2048, cuda.Address(x))
			err = errors.Join(s.Run(&r), s.Sync())
			closed := d.Close()
			if c.want == "" {
				if err != nil || closed != nil {
					t.Error(err, closed)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}
