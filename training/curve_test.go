package training

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestCurve(t *testing.T) {
	nan := math.NaN()
	row := func(step int) CurveRow {
		return CurveRow{step, 1e-3, []CurveErrors{{Errors{26.4, 0.709, 0.8357, nan}, Errors{1, 2, 3, 4}}}}
	}
	for _, c := range []struct {
		name    string
		columns CurveColumns
		want    string
	}{
		{"single head", CurveColumns{Heads: []string{""}, Energy: true, Force: true, Validation: true},
			"#  step      rmse_val      rmse_trn    rmse_e_val    rmse_e_trn    rmse_f_val    rmse_f_trn         lr\n" +
				"# A quantity without labels is printed as nan.\n" +
				"      1      2.64e+01      1.00e+00      7.09e-01      2.00e+00      8.36e-01      3.00e+00    1.0e-03\n" +
				"    100      2.64e+01      1.00e+00      7.09e-01      2.00e+00      8.36e-01      3.00e+00    1.0e-03\n"},
		{"with a key, virial, without validation", CurveColumns{Heads: []string{"k"}, Virial: true},
			"#  step    rmse_trn_k   rmse_v_trn_k         lr\n" +
				"# A quantity without labels is printed as nan.\n" +
				"      1      1.00e+00      4.00e+00    1.0e-03\n" +
				"    100      1.00e+00      4.00e+00    1.0e-03\n"},
		{"missing labels", CurveColumns{Heads: []string{""}, Virial: true, Validation: true},
			"#  step      rmse_val      rmse_trn    rmse_v_val    rmse_v_trn         lr\n" +
				"# A quantity without labels is printed as nan.\n" +
				"      1      2.64e+01      1.00e+00           nan      4.00e+00    1.0e-03\n" +
				"    100      2.64e+01      1.00e+00           nan      4.00e+00    1.0e-03\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "lcurve.out")
			curve, err := OpenCurve(path, c.columns, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, step := range []int{1, 100, 200} {
				if err := curve.Write(row(step)); err != nil {
					t.Fatal(err)
				}
			}
			if err := curve.Close(); err != nil {
				t.Fatal(err)
			}
			curve, err = OpenCurve(path, c.columns, 150) // the run died after 200 and resumes from 150
			if err != nil {
				t.Fatal(err)
			}
			curve.Close()
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// TestCurveOnAFullDisk cuts the last row off in its middle, and then lets the curve be opened where nothing can be written.
func TestCurveOnAFullDisk(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "lcurve.out"), filepath.Join(dir, "link")
	columns := CurveColumns{Heads: []string{""}}
	whole := string(columns.header()) + "      1      2.64e+01    1.0e-03\n"
	if err := errors.Join(os.WriteFile(path, []byte(whole+"      2      2.6"), 0o600), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path+".tmp", 0o700); err != nil { // where the new contents would be written first
		t.Fatal(err)
	}
	if _, err := OpenCurve(link, columns, 2); err == nil {
		t.Fatal("a curve was opened that could not be written")
	}
	if got, err := os.ReadFile(path); err != nil || len(got) < len(whole) {
		t.Errorf("the old curve is lost: %q, %v", got, err)
	}
	if err := os.RemoveAll(path + ".tmp"); err != nil {
		t.Fatal(err)
	}
	curve, err := OpenCurve(link, columns, 2)
	if err != nil {
		t.Fatal(err)
	}
	curve.Close()
	if got, err := os.ReadFile(path); err != nil || string(got) != whole {
		t.Errorf("got %q, %v; want the complete rows %q", got, err, whole)
	}
}

func TestCurveErrors(t *testing.T) {
	if _, err := OpenCurve(filepath.Join(t.TempDir(), "no", "such", "folder"), CurveColumns{}, 0); err == nil {
		t.Error("a curve in a missing folder was opened")
	}
	curve, err := OpenCurve(filepath.Join(t.TempDir(), "lcurve.out"), CurveColumns{Heads: []string{"a", "b"}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer curve.Close()
	if err := curve.Write(CurveRow{Heads: make([]CurveErrors, 1)}); err == nil {
		t.Error("a row for another number of heads was written")
	}
}
