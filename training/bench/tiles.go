package bench

import (
	"fmt"

	"github.com/fedlam/fedlam/kernels/cuda"
)

// tiles says how a device does elementwise arithmetic, after runs: with code of its own for each formula, or by an interpreter,
// and if the driver refused such code, why.
func tiles(d *cuda.Device) string {
	way, refusal := d.Tiles()
	if refusal != nil {
		return fmt.Sprintf("%s: %v", way, refusal)
	}
	return string(way)
}
