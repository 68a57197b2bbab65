package training

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// Errors are root mean square errors of one batch or data set; NaN where there is no label. Energy is in eV per atom,
// Force in eV/Å, Virial in eV per atom; Total is the square root of the loss.
type Errors struct {
	Total, Energy, Force, Virial float64
}

// CurveRow is one line of a learning curve.
type CurveRow struct {
	Step  int // steps done
	LR    float64
	Heads []CurveErrors // in the order given to OpenCurve
}

// CurveErrors are the errors of one head on validation and training data.
type CurveErrors struct{ Validation, Training Errors }

// CurveColumns says which columns a learning curve has.
type CurveColumns struct {
	Heads                 []string // one entry "" for a model with a single head
	Energy, Force, Virial bool     // terms that are part of the loss
	Validation            bool
}

// A Curve writes lcurve.out as DeePMD-kit does, so that scripts made for it work: a header that starts with #, then a
// line per row with columns of fixed width. Rows are on disk when Write returns.
type Curve struct {
	file    *os.File
	columns CurveColumns
}

// OpenCurve creates the file at path, or, when step is not 0, continues it: rows beyond step are cut off, since a
// resumed run writes them again.
func OpenCurve(path string, columns CurveColumns, step int) (*Curve, error) {
	text := columns.header()
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return openDevice(path, columns, text)
	}
	if step > 0 {
		old, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("continue learning curve: %w", err)
		}
		text = append(text, rowsUpTo(old, step)...)
	}
	if err := writeFile(path, text); err != nil { // a full disk leaves the old one
		return nil, fmt.Errorf("learning curve: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil, fmt.Errorf("learning curve: %w", err)
	}
	return &Curve{file: f, columns: columns}, nil
}

// openDevice writes rows to what is no file, such as /dev/null, and is not replaced.
func openDevice(path string, columns CurveColumns, header []byte) (*Curve, error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("learning curve: %w", err)
	}
	if _, err := f.Write(header); err != nil {
		f.Close()
		return nil, fmt.Errorf("learning curve: %w", err)
	}
	return &Curve{file: f, columns: columns}, nil
}

// rowsUpTo copies the complete lines whose step does not exceed step. A line that a full disk cut off has no end.
func rowsUpTo(text []byte, step int) []byte {
	var out bytes.Buffer
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || line[len(line)-1] != '\n' {
			continue
		}
		if n, err := strconv.Atoi(string(fields[0])); err == nil && n <= step {
			out.Write(line)
		}
	}
	return out.Bytes()
}

// quantities lists the columns of one head in alphabetical order.
func (c *CurveColumns) quantities(e Errors) (names []string, values []float64) {
	for _, q := range []struct {
		name  string
		on    bool
		value float64
	}{{"rmse", true, e.Total}, {"rmse_e", c.Energy, e.Energy}, {"rmse_f", c.Force, e.Force}, {"rmse_v", c.Virial, e.Virial}} {
		if q.on {
			names, values = append(names, q.name), append(values, q.value)
		}
	}
	return names, values
}

func (c *CurveColumns) header() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %5s", "step")
	for _, head := range c.Heads {
		suffix := ""
		if head != "" {
			suffix = "_" + head
		}
		names, _ := c.quantities(Errors{})
		for _, name := range names {
			if c.Validation {
				fmt.Fprintf(&b, "   %11s", name+"_val"+suffix)
			}
			fmt.Fprintf(&b, "   %11s", name+"_trn"+suffix)
		}
	}
	fmt.Fprintf(&b, "   %8s\n", "lr")
	b.WriteString("# A quantity without labels is printed as nan.\n")
	return b.Bytes()
}

// Write appends one row.
func (c *Curve) Write(row CurveRow) error {
	if len(row.Heads) != len(c.columns.Heads) {
		return fmt.Errorf("learning curve: row for %d heads in a curve of %d", len(row.Heads), len(c.columns.Heads))
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%7d", row.Step)
	for _, h := range row.Heads {
		_, validation := c.columns.quantities(h.Validation)
		_, training := c.columns.quantities(h.Training)
		for k := range training {
			if c.columns.Validation {
				fmt.Fprintf(&b, "   %s", scientific(validation[k]))
			}
			fmt.Fprintf(&b, "   %s", scientific(training[k]))
		}
	}
	fmt.Fprintf(&b, "   %8.1e\n", row.LR)
	if _, err := c.file.Write(b.Bytes()); err != nil {
		return fmt.Errorf("learning curve: %w", err)
	}
	return nil
}

// scientific writes a number as C's %11.2e does, NaN included.
func scientific(v float64) string { return strings.ToLower(fmt.Sprintf("%11.2e", v)) }

// Close closes the file.
func (c *Curve) Close() error { return c.file.Close() }
