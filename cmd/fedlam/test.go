package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
)

type testCmd struct {
	predictor
	JSON   string `name:"json" placeholder:"F" help:"Write the errors to this file as JSON; - for standard output."`
	Detail string `placeholder:"PREFIX" help:"Write labels and predictions side by side to PREFIX.e.out, PREFIX.f.out, PREFIX.v.out, as dp test does."`
}

// Help is shown by `fedlam test --help`.
func (testCmd) Help() string {
	return `Compares predictions with the labels of FRAMES: root mean square and mean absolute error of energy (meV per atom), force
components (meV/Å) and virial components (meV per atom), each with the number n of labels compared.

Example, for frames whose labels are stored as the convention file says:
  fedlam test run/ validation.xyz --head water --convention water.json --json errors.json

The JSON is
  {"version":1,"head":K,"frames":n,"energy":{"n":n,"rmse":x,"mae":x,"unit":"meV/atom"},"force":{..},"virial":{..}}
where a quantity without labels has n = 0. With --detail, PREFIX.e.out has a line per frame with energy label and
prediction, PREFIX.e_peratom.out the same per atom, PREFIX.f.out a line per atom with three and three numbers,
PREFIX.v.out and PREFIX.v_peratom.out a line per frame with nine and nine; in eV, eV/Å and eV.`
}

// testOutput is the layout of the JSON file; see Help.
type testOutput struct {
	Version int       `json:"version"`
	Head    string    `json:"head"`
	Frames  int       `json:"frames"`
	Energy  testScore `json:"energy"`
	Force   testScore `json:"force"`
	Virial  testScore `json:"virial"`
}

type testScore struct {
	N    int     `json:"n"`
	RMSE float64 `json:"rmse"`
	MAE  float64 `json:"mae"`
	Unit string  `json:"unit"`
}

// milli turns eV into meV.
func milli(s training.Score, unit string) testScore {
	return testScore{s.N, 1e3 * s.RMSE, 1e3 * s.MAE, unit}
}

func (c *testCmd) Run(ctx context.Context) error {
	m, frames, err := c.open(labelled)
	if err != nil {
		return err
	}
	if err := c.protect(c.JSON); err != nil {
		return err
	}
	asJSON, err := createOutput(c.JSON)
	if err != nil {
		return err
	}
	defer asJSON.discard()
	detail, err := openDetail(c.Detail, c.Frames)
	if err != nil {
		return err
	}
	defer detail.discard()
	var sum training.Comparison
	err = c.run(ctx, m, frames, func(f *dataset.Frame, p *dpa2.Prediction) {
		sum.Add(f, p)
		detail.add(f, p)
	})
	if err != nil {
		return err
	}
	metrics := sum.Metrics()
	out := testOutput{1, m.Head, metrics.Frames, milli(metrics.Energy, "meV/atom"), milli(metrics.Force, "meV/Å"), milli(metrics.Virial, "meV/atom")}
	if out.Energy.N+out.Force.N+out.Virial.N == 0 {
		return fmt.Errorf("no frame of %q has a label to compare with; if the file names its labels otherwise, say so with --convention", c.Frames)
	}
	if asJSON != nil {
		if err := json.NewEncoder(asJSON).Encode(out); err != nil {
			return asJSON.failed(err)
		}
	}
	if err := commitAll(append(detail.outputs(), asJSON)...); err != nil || c.JSON == "-" {
		return err
	}
	return printTest(os.Stdout, out)
}

func printTest(w io.Writer, out testOutput) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%d frames\tRMSE\tMAE\tunit\tn\t\n", out.Frames)
	for _, q := range []struct {
		name string
		s    testScore
	}{{"energy", out.Energy}, {"force", out.Force}, {"virial", out.Virial}} {
		if q.s.N > 0 {
			fmt.Fprintf(t, "%s\t%.3f\t%.3f\t%s\t%d\t\n", q.name, q.s.RMSE, q.s.MAE, q.s.Unit, q.s.N)
		} else {
			fmt.Fprintf(t, "%s\tno labels\t\t\t0\t\n", q.name)
		}
	}
	return t.Flush()
}

// detail writes labels and predictions side by side, to an output for each suffix. A nil detail writes nothing.
type detail map[string]*output

// detailColumns are the headers of the files, in dp test's words.
var detailColumns = []struct{ suffix, columns string }{
	{"e", "data_e pred_e"}, {"e_peratom", "data_e pred_e"},
	{"f", "data_fx data_fy data_fz pred_fx pred_fy pred_fz"},
	{"v", "data_vxx data_vxy data_vxz data_vyx data_vyy data_vyz data_vzx data_vzy data_vzz pred_vxx pred_vxy pred_vxz pred_vyx pred_vyy pred_vyz pred_vzx pred_vzy pred_vzz"},
	{"v_peratom", "data_vxx data_vxy data_vxz data_vyx data_vyy data_vyz data_vzx data_vzy data_vzz pred_vxx pred_vxy pred_vxz pred_vyx pred_vyy pred_vyz pred_vzx pred_vzy pred_vzz"},
}

func openDetail(prefix, source string) (detail, error) {
	if prefix == "" {
		return nil, nil
	}
	d := detail{}
	for _, c := range detailColumns {
		o, err := createOutput(prefix + "." + c.suffix + ".out")
		if err != nil {
			d.discard()
			return nil, err
		}
		d[c.suffix] = o
		fmt.Fprintf(o, "# %s: %s\n", source, c.columns)
	}
	return d, nil
}

func (d detail) add(f *dataset.Frame, p *dpa2.Prediction) {
	if d == nil {
		return
	}
	n := float64(f.NumAtoms())
	if f.Energy != nil {
		d.line("e", 1, []float64{*f.Energy}, []float64{p.Energy})
		d.line("e_peratom", n, []float64{*f.Energy}, []float64{p.Energy})
	}
	for at := 0; at < len(f.Forces); at += 3 {
		d.line("f", 1, f.Forces[at:at+3], p.Forces[at:at+3])
	}
	if f.Virial != nil {
		d.line("v", 1, f.Virial[:], p.Virial[:])
		d.line("v_peratom", n, f.Virial[:], p.Virial[:])
	}
}

// line writes labels, then predictions; an output keeps an error until commit.
func (d detail) line(file string, divisor float64, label, predicted []float64) {
	w := d[file]
	separator := ""
	for _, list := range [][]float64{label, predicted} {
		for _, v := range list {
			fmt.Fprintf(w, "%s%.18e", separator, v/divisor)
			separator = " "
		}
	}
	fmt.Fprintln(w)
}

// outputs lists the files in the order of detailColumns.
func (d detail) outputs() (list []*output) {
	for _, c := range detailColumns {
		list = append(list, d[c.suffix])
	}
	return list
}

func (d detail) discard() {
	for _, o := range d {
		o.discard()
	}
}
