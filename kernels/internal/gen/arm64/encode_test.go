package main

import "testing"

// TestEncode compares every instruction with what the assembler and the disassembler of GNU binutils make of it.
func TestEncode(t *testing.T) {
	cases := []struct {
		x         instruction
		registers []vector
		word      uint32
		text      string
	}{
		{fadd[0], []vector{1, 2, 3}, 0x4e23d441, "fadd v1.4s, v2.4s, v3.4s"},
		{fadd[1], []vector{1, 2, 3}, 0x4e63d441, "fadd v1.2d, v2.2d, v3.2d"},
		{fsub[0], []vector{31, 0, 17}, 0x4eb1d41f, "fsub v31.4s, v0.4s, v17.4s"},
		{fsub[1], []vector{31, 0, 17}, 0x4ef1d41f, "fsub v31.2d, v0.2d, v17.2d"},
		{fmul[0], []vector{4, 5, 6}, 0x6e26dca4, "fmul v4.4s, v5.4s, v6.4s"},
		{fmul[1], []vector{4, 5, 6}, 0x6e66dca4, "fmul v4.2d, v5.2d, v6.2d"},
		{fdiv[0], []vector{7, 8, 9}, 0x6e29fd07, "fdiv v7.4s, v8.4s, v9.4s"},
		{fdiv[1], []vector{7, 8, 9}, 0x6e69fd07, "fdiv v7.2d, v8.2d, v9.2d"},
		{fmax[0], []vector{10, 11, 12}, 0x4e2cf56a, "fmax v10.4s, v11.4s, v12.4s"},
		{fmax[1], []vector{10, 11, 12}, 0x4e6cf56a, "fmax v10.2d, v11.2d, v12.2d"},
		{fmin[0], []vector{13, 14, 15}, 0x4eaff5cd, "fmin v13.4s, v14.4s, v15.4s"},
		{fmin[1], []vector{13, 14, 15}, 0x4eeff5cd, "fmin v13.2d, v14.2d, v15.2d"},
		{faddp[0], []vector{16, 17, 18}, 0x6e32d630, "faddp v16.4s, v17.4s, v18.4s"},
		{faddp[1], []vector{16, 17, 18}, 0x6e72d630, "faddp v16.2d, v17.2d, v18.2d"},
		{fneg[0], []vector{19, 20}, 0x6ea0fa93, "fneg v19.4s, v20.4s"},
		{fneg[1], []vector{19, 20}, 0x6ee0fa93, "fneg v19.2d, v20.2d"},
		{fsqrt[0], []vector{21, 22}, 0x6ea1fad5, "fsqrt v21.4s, v22.4s"},
		{fsqrt[1], []vector{21, 22}, 0x6ee1fad5, "fsqrt v21.2d, v22.2d"},
		{frintn[0], []vector{23, 24}, 0x4e218b17, "frintn v23.4s, v24.4s"},
		{frintn[1], []vector{23, 24}, 0x4e618b17, "frintn v23.2d, v24.2d"},
		{fcvtns[0], []vector{25, 26}, 0x4e21ab59, "fcvtns v25.4s, v26.4s"},
		{fcvtns[1], []vector{25, 26}, 0x4e61ab59, "fcvtns v25.2d, v26.2d"},
		{cmlt[0], []vector{27, 28}, 0x4ea0ab9b, "cmlt v27.4s, v28.4s, #0"},
		{cmlt[1], []vector{27, 28}, 0x4ee0ab9b, "cmlt v27.2d, v28.2d, #0"},
		{fcvtl, []vector{1, 2}, 0x0e617841, "fcvtl v1.2d, v2.2s"},
		{fcvtl2, []vector{3, 4}, 0x4e617883, "fcvtl2 v3.2d, v4.4s"},
		{fcvtn, []vector{5, 6}, 0x0e6168c5, "fcvtn v5.2s, v6.2d"},
		{fcvtn2, []vector{7, 8}, 0x4e616907, "fcvtn2 v7.4s, v8.2d"},
	}
	for _, c := range cases {
		word, text := c.x.encode(c.registers...)
		if word != c.word || text != c.text {
			t.Errorf("got 0x%08x for %q, want 0x%08x for %q", word, text, c.word, c.text)
		}
	}
}
