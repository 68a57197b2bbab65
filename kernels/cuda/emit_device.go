package cuda

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
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

// tileCode is the code of a tile. Its name says what it is: equal names have equal text.
type tileCode struct{ name, text string }

// emittedLaunch is a launch of such code.
type emittedLaunch struct {
	code     *tileCode
	blocks   uint32
	shared   uint32
	at, size int
}

// operation makes it one like others.
func (l *emittedLaunch) operation() *operation {
	return &operation{
		kind: opLaunch, kernel: kernel{name: l.code.name}, grid: [2]uint32{l.blocks, 1}, threads: tileThreads, shared: l.shared,
		at: l.at, size: l.size,
	}
}

// emitted adds the launch of the tile's own code to those of r and returns its number, counted from 1; 0 if the tile is beyond what
// emitted code can do.
func (t *Tile[F]) emitted(r *Recorder) int {
	if !t.plan(&r.plan) {
		return 0
	}
	code := r.codes[string(r.plan.key)]
	if code == nil {
		code = t.code(&r.plan)
		if r.codes == nil {
			r.codes = map[string]*tileCode{}
		}
		r.codes[string(r.plan.key)] = code
	}
	l := emittedLaunch{code: code, at: r.from}
	r.plan.encodeParams(r)
	l.size = len(r.args) - r.from
	if l.size > mostArgumentBytes {
		r.args = r.args[:r.from]
		return 0
	}
	r.align(8)
	r.from = len(r.args)
	if r.plan.sums {
		l.blocks, l.shared = uint32(t.blocks()), uint32(t.sharedBytes())
	} else {
		l.blocks = uint32((t.Rows*t.Cols/r.plan.lanes + tileThreads - 1) / tileThreads)
	}
	r.emitted = append(r.emitted, l)
	return len(r.emitted)
}

// mostArgumentBytes is how many bytes of arguments a launch may have.
const mostArgumentBytes = 4096

// code writes the code for a plan, named by a hash of its text.
func (t *Tile[F]) code(p *tilePlan) *tileCode {
	const draft = "tile"
	sum := sha256.Sum256([]byte(t.emit(p, draft)))
	name := draft + "_" + hex.EncodeToString(sum[:12])
	return &tileCode{name, t.emit(p, name)}
}

// moduleHead begins each module; see ptx for that of the kernels that are compiled ahead.
const moduleHead = ".version 6.3\n.target sm_75\n.address_size 64\n.extern .shared .align 8 .b8 dynamic_shared[];\n"

// emits reports whether an operation is done by emitted code. The owner calls it after prepareTiles.
func (d *Device) emits(op *operation) bool { return op.emitted != 0 && d.tiles == Emit }

// prepareTiles loads the code of tiles that is not loaded yet, all in one module: each module costs the driver some time. If that
// fails, tiles are interpreted from now on, and Tiles tells why.
func (d *Device) prepareTiles(r *Recorder) {
	var text strings.Builder
	var names []string
	missing := map[string]bool{}
	for i := range r.emitted {
		code := r.emitted[i].code
		if d.tiles != Emit || d.kernels[code.name] != 0 || missing[code.name] {
			continue
		}
		missing[code.name] = true
		names = append(names, code.name)
		if text.Len() == 0 {
			text.WriteString(moduleHead)
		}
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

// Tiles returns how the device does tiles, and what the driver said if it refused code for some: then they are interpreted although
// they were not to be.
func (d *Device) Tiles() (way Tiles, refusal error) {
	if err := d.do(func() error { way, refusal = d.tiles, d.refusal; return nil }); err != nil {
		return way, err
	}
	return way, refusal
}
