package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// A Fingerprint identifies the contents of a frame: its species in order, its boundaries and its geometry rounded to
// 1e-4 Å. Labels, source and index do not enter, so that copies of a structure have one fingerprint wherever they are
// stored. Frames that differ by a rotation, a translation or the order of atoms have different ones.
type Fingerprint [32]byte

func (p Fingerprint) String() string { return hex.EncodeToString(p[:8]) }

// fingerprintGrid is the rounding of lengths, Å: coarser than the last digit of common files and than float32 at the
// coordinates of large cells, far finer than the motion of an atom between frames.
const fingerprintGrid = 1e-4

// Fingerprint returns the fingerprint of f.
func (f *Frame) Fingerprint() Fingerprint {
	buf := []byte("fedlam frame 1\x00")
	buf = binary.LittleEndian.AppendUint64(buf, uint64(len(f.Species)))
	for _, s := range f.Species {
		buf = append(buf, s...)
		buf = append(buf, 0)
	}
	for _, lengths := range [][]float64{f.Positions, slice9(f.Cell)} {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(len(lengths)))
		for _, x := range lengths {
			buf = binary.LittleEndian.AppendUint64(buf, math.Float64bits(math.Round(x/fingerprintGrid)+0)) // + 0: no negative zero
		}
	}
	return sha256.Sum256(buf)
}
