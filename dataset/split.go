package dataset

import (
	"crypto/sha256"
	"encoding/binary"
)

// Split divides frames into training and validation. The side of a frame depends on its fingerprint, the fraction and
// the seed alone: frames that are added, removed or reordered move no other frame, and copies of one structure are
// never on both sides. A larger fraction keeps every frame that a smaller one put into validation.
//
// The validation set has about validationFraction of the frames, not exactly: of few frames it may get none. Order is
// kept. Fractions below 0 act as 0, above 1 as 1.
func Split(frames []Frame, validationFraction float64, seed uint64) (train, validation []Frame) {
	for i := range frames {
		if lot(frames[i].Fingerprint(), seed) < validationFraction {
			validation = append(validation, frames[i])
		} else {
			train = append(train, frames[i])
		}
	}
	return train, validation
}

// lot returns a number in [0, 1) that is uniform over fingerprints.
func lot(p Fingerprint, seed uint64) float64 {
	buf := binary.LittleEndian.AppendUint64([]byte("fedlam split 1\x00"), seed)
	sum := sha256.Sum256(append(buf, p[:]...))
	return float64(binary.LittleEndian.Uint64(sum[:8])>>11) / (1 << 53)
}
