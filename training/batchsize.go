package training

import (
	"fmt"
	"strconv"
	"strings"
)

// A BatchSize says how many frames of N atoms make a batch, in DeePMD-kit's words: a number ("4"), "auto" or "auto:M"
// (at least M atoms, M 32 by default), "max:M" (at most M atoms, but at least one frame). Empty means "auto".
//
// "auto:memory" is not DeePMD-kit's: on a GPU, as many frames as half of its memory takes, with at most 4096 atoms together,
// but at least one; elsewhere it is "auto". Frames of all sizes come together in a batch. How much an atom takes is measured on
// the head's largest frame when a Trainer is made. All memory of the GPU counts, free or not, so that the same GPU always makes
// the same batches, and an interrupted training can go on with the same bits. Batches become so much larger than those of
// "auto" that the learning rate has to be chosen for them.
type BatchSize string

// fillMemory is the BatchSize that a GPU's memory decides on.
const fillMemory BatchSize = "auto:memory"

// A batchRule is a BatchSize, or what has become of it on a GPU.
type batchRule struct {
	size BatchSize
	most int // atoms of a batch, of frames of any sizes; 0 if size decides
}

// frames returns the frames per batch for configurations of n atoms.
func (b BatchSize) frames(n int) (int, error) {
	word, number, given := strings.Cut(string(b), ":")
	if b == "" || b == "auto" || b == fillMemory {
		word, number, given = "auto", "32", true
	}
	if !given {
		word, number = "", word
	}
	m, err := strconv.Atoi(number)
	if err != nil || m < 1 || m > 1<<20 {
		return 0, fmt.Errorf("batch_size %q: want a number of frames such as 4, or \"auto\", \"auto:32\", \"max:64\" for a number of atoms, or \"auto:memory\" for as many as a GPU takes", string(b))
	}
	switch word {
	case "":
		return m, nil
	case "auto":
		return (m + n - 1) / n, nil
	case "max":
		return max(1, m/n), nil
	}
	return 0, fmt.Errorf("batch_size %q: %q is not known; use \"auto\" or \"max\"", string(b), word)
}
