package extxyz

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/fedlam/fedlam/dataset"
)

// Write writes frames as a file of this convention would hold them; nil means canonical units and the names of ASE,
// with the virial under "virial". Numbers have the shortest text that reads back as the same float64.
func Write(w io.Writer, conv *dataset.Convention, frames []dataset.Frame) error {
	out := &writer{Writer: bufio.NewWriter(w), conv: conv, keys: conv.FileKeys()}
	for i := range frames {
		raw, err := conv.Relabel(frames[i])
		if err != nil {
			return fmt.Errorf("write frame %d as extended XYZ: %w", i, err)
		}
		if err := out.frame(&raw); err != nil {
			return fmt.Errorf("write frame %d as extended XYZ: %w", i, err)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write extended XYZ: %w", err)
	}
	return nil
}

// WriteFile writes frames to a new file at path; an existing file is replaced.
func WriteFile(path string, conv *dataset.Convention, frames []dataset.Frame) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write frames: %w", err)
	}
	err = Write(f, conv, frames)
	if closing := f.Close(); err == nil && closing != nil {
		err = fmt.Errorf("write frames: %w", closing)
	}
	return err
}

type writer struct {
	*bufio.Writer
	conv *dataset.Convention
	keys dataset.Keys
	buf  []byte
}

func (w *writer) frame(r *dataset.Raw) error {
	for _, s := range r.Species {
		if s == "X" {
			return errors.New("the type name X stands for virtual atoms and cannot be that of a real one")
		}
		if err := checkName(s); s != "" && err != nil {
			return err
		}
	}
	w.buf = strconv.AppendInt(w.buf[:0], int64(len(r.Species)), 10)
	w.buf = append(w.buf, '\n')
	if r.Cell != nil {
		w.list("Lattice", r.Cell[:])
	}
	width := 0
	w.buf = append(w.buf, "Properties=species:S:1:pos:R:3"...)
	if r.Forces != nil {
		w.buf = append(w.buf, fmt.Sprintf(":%s:R:3", w.keys.Forces)...)
	}
	if len(r.AParam) > 0 {
		width = len(r.AParam) / len(r.Species)
		w.buf = append(w.buf, fmt.Sprintf(":%s:R:%d", w.keys.AParam, width)...)
	}
	w.labels(r)
	for i, s := range r.Species {
		if s == "" {
			s = "X"
		}
		w.buf = append(w.buf, s...)
		w.reals(r.Positions[3*i : 3*i+3])
		if r.Forces != nil {
			w.reals(r.Forces[3*i : 3*i+3])
		}
		w.reals(r.AParam[width*i : width*i+width])
		w.buf = append(w.buf, '\n')
	}
	_, err := w.Write(w.buf)
	return err
}

// labels writes the pairs after Properties and ends the line.
func (w *writer) labels(r *dataset.Raw) {
	w.buf = append(w.buf, ' ')
	if r.Energy != nil {
		w.list(w.keys.Energy, []float64{*r.Energy})
	}
	if r.FormulaUnits > 0 {
		w.list(w.keys.FormulaUnits, []float64{float64(r.FormulaUnits)})
	}
	if r.Stress != nil && (w.conv == nil || w.conv.Stress.Quantity == dataset.Virial) {
		w.list(w.keys.Virial, r.Stress)
	} else if r.Stress != nil {
		w.list(w.keys.Stress, r.Stress)
	}
	if r.FParam != nil {
		w.list(w.keys.FParam, r.FParam)
	}
	if r.Periodic == dataset.Periodic {
		w.buf = append(w.buf, "pbc=\"T T T\"\n"...)
	} else {
		w.buf = append(w.buf, "pbc=\"F F F\"\n"...)
	}
}

// list writes a pair: one number bare, several in quotes.
func (w *writer) list(key string, v []float64) {
	w.buf = append(w.buf, key...)
	w.buf = append(w.buf, '=')
	quote := len(v) != 1
	if quote {
		w.buf = append(w.buf, '"')
	}
	for k, x := range v {
		if k > 0 {
			w.buf = append(w.buf, ' ')
		}
		w.buf = strconv.AppendFloat(w.buf, x, 'g', -1, 64)
	}
	if quote {
		w.buf = append(w.buf, '"')
	}
	w.buf = append(w.buf, ' ')
}

func (w *writer) reals(v []float64) {
	for _, x := range v {
		w.buf = append(w.buf, ' ')
		w.buf = strconv.AppendFloat(w.buf, x, 'g', -1, 64)
	}
}
