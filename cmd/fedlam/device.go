package main

import (
	"fmt"
	"io"

	"github.com/fedlam/fedlam/training/hardware"
)

// computing is the flag of verbs that compute with a model.
type computing struct {
	Device hardware.Choice `default:"auto" placeholder:"D" help:"Where to compute: auto (a GPU if there is one), cpu, cuda, cuda:N, or cuda:N,M to share batches of a training."`
}

// openPlace opens the place and says on w what was chosen, if that is a GPU or something is wrong with one.
func (c computing) openPlace(threads int, w io.Writer) (*hardware.Place, error) {
	p, err := c.Device.Open(threads)
	if err == nil && (p.Device != nil || p.Broken) {
		fmt.Fprintln(w, p.Notice)
	}
	return p, err
}
