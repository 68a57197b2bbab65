package cuda_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

// TestRefusedCode gives the driver code that it refuses: the tile is interpreted, and so are those after it, and the device says why.
func TestRefusedCode(t *testing.T) {
	d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t), Tiles: cuda.Emit})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	b := newBridge[float32](t, d)
	x := []float32{1, 2, 3}
	cuda.Neg(&b.rec, b.out(x), b.in(x))
	cuda.SpoilCode(&b.rec)
	b.run()
	if want := []float32{-1, -2, -3}; !slices.Equal(x, want) {
		t.Errorf("got %v, want %v", x, want)
	}
	way, refusal := d.Tiles()
	var e *cuda.Error
	if way != cuda.Interpret || !errors.As(refusal, &e) || e.Result != cuda.InvalidPTX {
		t.Fatalf("tiles are done by %q, refusal %v", way, refusal)
	}
	for _, want := range []string{"interpreted, which is slower", "code for 1 tiles", "unknown instruction retire", "please report"} {
		if !strings.Contains(refusal.Error(), want) {
			t.Errorf("refusal %q, want one that says %q", refusal, want)
		}
	}
	cuda.Square(&b.rec, b.out(x), b.in(x))
	b.run()
	if want := []float32{1, 4, 9}; !slices.Equal(x, want) {
		t.Errorf("got %v, want %v", x, want)
	}
}

func TestTilesVariable(t *testing.T) {
	for _, c := range []struct {
		variable  string
		config    cuda.Tiles
		want      cuda.Tiles
		wantError string
	}{
		{"", "", cuda.Emit, ""},
		{"emit", "", cuda.Emit, ""},
		{"interpret", "", cuda.Interpret, ""},
		{"interpret", cuda.Emit, cuda.Emit, ""},
		{"compile", "", "", `tiles "compile" in FEDLAM_CUDA_TILES: use "emit" or "interpret"`},
		{"", "compile", "", `tiles "compile": use`},
	} {
		t.Run(c.variable+" "+string(c.config), func(t *testing.T) {
			t.Setenv("FEDLAM_CUDA_TILES", c.variable)
			d, err := cuda.Open(cuda.Config{Library: cudatest.Library(t), Tiles: c.config})
			if c.wantError != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantError) {
					t.Fatalf("error %v, want %q", err, c.wantError)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			if way, err := d.Tiles(); way != c.want || err != nil {
				t.Errorf("tiles are done by %q, %v; want %q", way, err, c.want)
			}
		})
	}
}

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
		{"kernel twice", "ret;\n}\n", "ret;\n}\n" + strings.Replace(kernel, "$L1", "$L9", -1), "kernel k twice"},
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
			err := cuda.LoadText(d, text)
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
