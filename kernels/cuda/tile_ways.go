package cuda

import (
	"fmt"
	"os"
)

// Tiles is a way to do tiles. Both give the same bits.
type Tiles string

// The ways.
const (
	Emit      Tiles = "emit"      // with code for each formula, which the driver compiles when it is first used
	Interpret Tiles = "interpret" // with an interpreter of formulas
)

// tilesVariable is the environment variable that chooses where a Config does not.
const tilesVariable = "FEDLAM_CUDA_TILES"

// validate fills the default.
func (w *Tiles) validate() error {
	from := ""
	if *w == "" {
		*w, from = Tiles(os.Getenv(tilesVariable)), " in "+tilesVariable
	}
	switch *w {
	case "":
		*w = Emit
	case Emit, Interpret:
	default:
		return fmt.Errorf("cuda: tiles %q%s: use %q or %q", *w, from, Emit, Interpret)
	}
	return nil
}

// Tiles returns how the device does tiles, and what the driver said if it refused code for some: then they are interpreted although
// they were not to be.
func (d *Device) Tiles() (way Tiles, refusal error) {
	if err := d.do(func() error { way, refusal = d.tiles, d.refusal; return nil }); err != nil {
		return way, err
	}
	return way, refusal
}
