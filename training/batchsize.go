package training

import (
	"fmt"
	"strconv"
	"strings"
)

// A BatchSize says how many frames of N atoms make a batch, in DeePMD-kit's words: a number ("4"), "auto" or "auto:M"
// (at least M atoms, M 32 by default), "max:M" (at most M atoms, but at least one frame). Empty means "auto".
type BatchSize string

// frames returns the frames per batch for configurations of n atoms.
func (b BatchSize) frames(n int) (int, error) {
	word, number, given := strings.Cut(string(b), ":")
	if b == "" || b == "auto" {
		word, number, given = "auto", "32", true
	}
	if !given {
		word, number = "", word
	}
	m, err := strconv.Atoi(number)
	if err != nil || m < 1 || m > 1<<20 {
		return 0, fmt.Errorf("batch_size %q: want a number of frames such as 4, or \"auto\", \"auto:32\", \"max:64\" for a number of atoms", string(b))
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
