package cuda

import (
	"fmt"
	"strings"
)

// moduleHead begins each module; see ptx for that of the kernels that are compiled ahead.
const moduleHead = ".version 6.3\n.target sm_75\n.address_size 64\n.extern .shared .align 8 .b8 dynamic_shared[];\n"

// emits reports whether an operation is done by emitted code. The owner calls it after prepareTiles.
func (d *Device) emits(op *operation) bool { return op.emitted != 0 && d.tiles == Emit }

// prepareTiles loads the code of tiles that is not loaded yet, all in one module: each module costs the driver some time. If that
// fails, tiles are interpreted from now on, and Tiles tells why.
func (d *Device) prepareTiles(r *Recorder) {
	var text strings.Builder
	var names []string
	var missing map[string]bool
	for i := range r.emitted {
		code := r.emitted[i].code
		if d.tiles != Emit || d.kernels[code.name] != 0 || missing[code.name] {
			continue
		}
		if missing == nil {
			missing = map[string]bool{}
			text.WriteString(moduleHead)
		}
		missing[code.name] = true
		names = append(names, code.name)
		text.WriteString(code.text)
	}
	if len(names) == 0 {
		return
	}
	if err := d.loadTiles(names, text.String()); err != nil {
		d.tiles, d.refusal = Interpret, fmt.Errorf("tiles are interpreted, which is slower: %w", err)
	}
}

func (d *Device) loadTiles(names []string, text string) error {
	m, err := d.loadText(fmt.Sprintf("code for %d tiles", len(names)), append([]byte(text), 0))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := d.findIn(m, name); err != nil {
			return err
		}
	}
	return nil
}
