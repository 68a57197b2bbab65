//go:build !linux

package kernels

import "errors"

// newText returns an error: how to obtain executable memory is known for Linux only.
func newText([]byte) (*text, error) { return nil, errors.ErrUnsupported }
