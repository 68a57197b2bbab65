package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// An output is a result file that is there completely or not at all: it is written beside its place and moved there by
// commit. What is no regular file, such as a pipe, is written directly. The methods of a nil output do nothing.
type output struct {
	*bufio.Writer
	path string // as the user gave it
	file *os.File
	temp string // written first, and moved to dest; "" for what is written directly
	dest string // path with links resolved
}

// createOutput opens an output, so that a place that cannot be written to is found before the work. "" gives nil, "-"
// standard output.
func createOutput(path string) (*output, error) {
	switch path {
	case "":
		return nil, nil
	case "-":
		return &output{Writer: bufio.NewWriter(os.Stdout), path: "standard output"}, nil
	}
	o := &output{path: path, dest: path}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		o.dest = target
	}
	info, err := os.Stat(o.dest)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("write %q: it is a folder; give the name of a file", path)
	case err == nil && !info.Mode().IsRegular():
		o.file, err = os.OpenFile(o.dest, os.O_WRONLY, 0)
	default:
		if err := writable(o.dest); err != nil {
			return nil, o.refused(err)
		}
		o.temp = filepath.Join(filepath.Dir(o.dest), "."+filepath.Base(o.dest)+".part")
		o.file, err = os.Create(o.temp)
	}
	if err != nil {
		return nil, o.refused(err)
	}
	o.Writer = bufio.NewWriter(o.file)
	return o, nil
}

// writable refuses a file that is write-protected; renaming would replace it all the same.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// refused is the error of a place that cannot be opened, under the name that the user knows.
func (o *output) refused(err error) error {
	if inner := (*fs.PathError)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("write %q: %w; choose another place", o.path, err)
}

// failed is the error of what could not be written.
func (o *output) failed(err error) error {
	inner := (*fs.PathError)(nil)
	switch {
	case !errors.As(err, &inner):
		return fmt.Errorf("write %q: %w", o.path, err)
	case o.temp == "":
		return fmt.Errorf("write %q: %w; what is there is not complete", o.path, inner.Err)
	}
	return fmt.Errorf("write %q: %w; make room or choose another place, nothing there has changed", o.path, inner.Err)
}

// commit puts the complete file in its place.
func (o *output) commit() error {
	if o == nil {
		return nil
	}
	err := o.Flush()
	if o.temp != "" && err == nil {
		err = o.file.Sync()
	}
	if o.file != nil {
		err = errors.Join(err, o.file.Close())
		o.file = nil
	}
	if o.temp != "" && err == nil {
		err = os.Rename(o.temp, o.dest)
	}
	if err != nil {
		o.discard()
		return o.failed(err)
	}
	o.temp = ""
	return nil
}

// commitAll commits up to the first that fails.
func commitAll(outputs ...*output) error {
	for _, o := range outputs {
		if err := o.commit(); err != nil {
			return err
		}
	}
	return nil
}

// discard removes what is not complete; after commit there is nothing to do.
func (o *output) discard() {
	if o == nil {
		return
	}
	if o.file != nil {
		o.file.Close()
		o.file = nil
	}
	if o.temp != "" {
		os.Remove(o.temp)
	}
}

// writeTo writes a result to a file, or to standard output for "-".
func writeTo(path string, write func(w io.Writer) error) error {
	o, err := createOutput(path)
	if err != nil {
		return err
	}
	defer o.discard()
	if err := write(o); err != nil {
		return o.failed(err)
	}
	return o.commit()
}
