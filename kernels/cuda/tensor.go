package cuda

import "fmt"

var (
	tensorLarge  = dense{family: kernels2("tensor", "tensor_large"), f32: tile{128, 64, 128}}
	tensorSquare = dense{family: kernels2("tensor", "tensor_square"), f32: tile{64, 64, 128}}
	tensorNarrow = dense{family: kernels2("tensor", "tensor_narrow"), f32: tile{64, 32, 128}}
	tensorTN     = dense{family: kernels2("tensor", "tensor_tn"), f32: tile{64, 64, 128}}
)

// tensorMajor is the compute capability that the kernels of module tensor need.
const tensorMajor = 8

// TF32 reports whether the device has the functions MatMulTF32 and MatMulTNTF32.
func (i Info) TF32() bool { return i.Major >= tensorMajor }

// needsNewer makes an error of loading kernels that the device is too old for.
func (d *Device) needsNewer(module string) error {
	if module != tensorLarge.family.f32.module || d.info.TF32() {
		return nil
	}
	return fmt.Errorf("cuda: products in TF32 need compute capability 8.0 (Ampere), %s has %d.%d; use MatMul",
		d.info.Name, d.info.Major, d.info.Minor)
}

// MatMulTF32 is MatMul by tensor cores: the factors are rounded to 10 bits of fraction first, so that terms are off by up
// to 2^-10 of their size, and sums are float32 in an order of the hardware's. It needs a device with TF32.
func MatMulTF32(r *Recorder, c, a, b Slice[float32], m, k, n int) {
	d := &tensorSquare
	switch {
	case n <= 32:
		d = &tensorNarrow
	default:
		if x, y := tensorLarge.f32.blocks(m, n); x*y >= manyBlocks {
			d = &tensorLarge
		}
	}
	matmul(r, "MatMulTF32", d, c, a, b, m, k, n)
}

// MatMulTNTF32 is MatMulTN likewise. scratch needs MatMulTNScratch numbers.
func MatMulTNTF32(r *Recorder, c, a, b Slice[float32], m, k, n int, scratch Slice[float32]) {
	needProduct(r, "MatMulTNTF32", c, a, b, m, k, n)
	splitProduct(r, &tensorTN, c, a, b, m, m, k, n, scratch, false)
}
