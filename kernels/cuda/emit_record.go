package cuda

import (
	"crypto/sha256"
	"encoding/hex"
)

// tileCode is the code of a tile. Its name says what it is: equal names have equal text.
type tileCode struct{ name, text string }

// emittedLaunch is a launch of such code.
type emittedLaunch struct {
	launching
	code *tileCode
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
	at := r.from
	r.plan.encodeParams(r)
	size := len(r.args) - at
	if size > mostArgumentBytes {
		r.args = r.args[:at]
		return 0
	}
	r.align(8)
	r.from = len(r.args)
	blocks, shared := (t.Rows*t.Cols/r.plan.lanes+tileThreads-1)/tileThreads, 0
	if r.plan.sums {
		blocks, shared = t.blocks(), t.sharedBytes()
	}
	r.emitted = append(r.emitted, emittedLaunch{code: code, launching: launching{
		kernel: kernel{name: code.name}, grid: [2]uint32{uint32(blocks), 1}, threads: tileThreads, shared: uint32(shared), at: at, size: size,
	}})
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
