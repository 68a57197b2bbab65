package extxyz_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/google/go-cmp/cmp"
)

const water = `3
Lattice="9 0 0 0 9 0 1 0 9" Properties=species:S:1:pos:R:3:forces:R:3 energy=-14.25 virial="1 2 3 2 4 5 3 5 6" pbc="T T T"
O 0.00 0.00 0.00  0.5 0.0 0.0
H 0.96 0.00 0.00 -0.5 0.0 0.0
H -0.24 0.93 0.00 0.0 0.0 1e-1
`

func ptr(v float64) *float64 { return &v }

func read(text string, conv *dataset.Convention) ([]dataset.Frame, error) {
	r := extxyz.NewReader(strings.NewReader(text), "a.xyz", conv)
	var frames []dataset.Frame
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			return frames, nil
		}
		if err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
}

func TestReadWithoutConvention(t *testing.T) {
	got, err := read(water+water, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := dataset.Frame{
		Species: []string{"O", "H", "H"}, Positions: []float64{0, 0, 0, .96, 0, 0, -.24, .93, 0},
		Cell: &[9]float64{9, 0, 0, 0, 9, 0, 1, 0, 9}, Energy: ptr(-14.25), Forces: []float64{.5, 0, 0, -.5, 0, 0, 0, 0, .1},
		Virial: &[9]float64{1, 2, 3, 2, 4, 5, 3, 5, 6}, Source: "a.xyz", Index: 0,
	}
	second := want
	second.Index = 1
	if diff := cmp.Diff([]dataset.Frame{want, second}, got); diff != "" {
		t.Error(diff)
	}
}

// Each case changes the water frame's text and says what of the result must change with it.
func TestReadForms(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string
		change         func(f *dataset.Frame)
	}{
		{"pbc list", `pbc="T T T"`, `pbc=[True, true, 1]`, nil},
		{"pbc one word", `pbc="T T T"`, `pbc=T`, nil},
		{"lattice without pbc", `pbc="T T T"`, ``, nil},
		{"open", `pbc="T T T"`, `pbc="F F F"`, func(f *dataset.Frame) { f.Cell = nil }},
		{"no lattice, no pbc", `Lattice="9 0 0 0 9 0 1 0 9" Properties=species:S:1:pos:R:3:forces:R:3 energy=-14.25 virial="1 2 3 2 4 5 3 5 6" pbc="T T T"`,
			`Properties=species:S:1:pos:R:3:forces:R:3 energy=-14.25`, func(f *dataset.Frame) { f.Cell, f.Virial = nil, nil }},
		{"braces", `Lattice="9 0 0 0 9 0 1 0 9"`, `Lattice={9 0 0 0 9 0 1 0 9}`, nil},
		{"nested list", `Lattice="9 0 0 0 9 0 1 0 9"`, `Lattice = [[9, 0, 0], [0, 9, 0], [1, 0, 9]]`, nil},
		{"JSON", `virial="1 2 3 2 4 5 3 5 6"`, `virial="_JSON [[1,2,3],[2,4,5],[3,5,6]]"`, nil},
		{"single quotes", `virial="1 2 3 2 4 5 3 5 6"`, `virial='1 2 3 2 4 5 3 5 6'`, nil},
		{"voigt", `virial="1 2 3 2 4 5 3 5 6"`, `virial="1 4 6 5 3 2"`, nil},
		{"Fortran exponent", `energy=-14.25`, `energy=-1.425D+01`, nil},
		{"flags and odd values", `energy=`, `converged name="a \"b\" = c" parts=DEC(1):PC(1) d="_JSON {\"k\": [1, 2]}" u=μ energy=`, nil},
		{"carriage returns", "\n", "\r\n", nil},
		{"blank lines around", "3\nLattice", "\n\n3\nLattice", nil},
		{"no end of line", "1e-1\n", "1e-1", nil},
		{"unused column", "forces:R:3", "forces:R:3:fixed:L:1:tag:S:1", nil},
		{"stress is tensile", `virial="1 2 3 2 4 5 3 5 6"`, `stress="-1 -2 -3 -2 -4 -5 -3 -5 -6"`, func(f *dataset.Frame) {
			for k := range f.Virial {
				f.Virial[k] *= 729
			}
		}},
		{"atomic numbers", "species:S", "Z:I", nil},
		{"virtual atom", "O 0.00", "X 0.00", func(f *dataset.Frame) { f.Species[0] = "" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.ReplaceAll(water, tt.old, tt.new)
			if text == water {
				t.Fatal("the case changes nothing")
			}
			switch tt.name {
			case "unused column":
				text = strings.NewReplacer("0.5 0.0 0.0\n", "0.5 0.0 0.0 T a\n", "-0.5 0.0 0.0\n", "-0.5 0.0 0.0 F b\n", "1e-1", "1e-1 F c").Replace(text)
			case "atomic numbers":
				text = strings.NewReplacer("\nO", "\n8", "\nH", "\n1").Replace(text)
			}
			want, err := read(water, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.change != nil {
				tt.change(&want[0])
			}
			got, err := read(text, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadPlainXYZ(t *testing.T) {
	got, err := read("2\nit's a free comment: E = -1\nC 0 0 0\nO 0 0 1.13\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"C", "O"}; !cmp.Equal(got[0].Species, want) || got[0].Positions[5] != 1.13 || got[0].Energy != nil {
		t.Errorf("got %+v", got[0])
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"count", "3\nL", "x\nL", "frame 0, line 1, number of atoms"},
		{"huge count", "3\nL", "99999999999\nL", "number of atoms"},
		{"zero atoms", "3\nL", "0\nL", "number of atoms"},
		{"cut in the atoms", "H -0.24 0.93 0.00 0.0 0.0 1e-1\n", "", "frame 0, line 4, end of file"},
		{"cut in a line", "0.0 1e-1\n", "0.0", "line 5, atom: bad extended XYZ: 6 words, but Properties promises 7; the file ends within this line: if it was cut off, fetch it again"},
		{"count too small", "3\nL", "2\nL", "frame 1, line 5, number of atoms"},
		{"NaN energy", "-14.25", "nan", `line 2, comment: bad extended XYZ: key "energy", number 1: NaN or infinite`},
		{"NaN force", "1e-1", "NaN", `line 5, atom: bad extended XYZ: column "forces": NaN or infinite`},
		{"overflow", "0.93", "1e999", `column "pos": NaN or infinite`},
		{"not a number", "0.93", "0,93", `column "pos": not a number`},
		{"mixed pbc", `"T T T"`, `"T T F"`, "periodic along 2 of 3 axes"},
		{"pbc word", `"T T T"`, `"yes yes yes"`, "want T or F"},
		{"periodic without lattice", `Lattice="9 0 0 0 9 0 1 0 9"`, ``, "is periodic but has no cell"},
		{"short lattice", `"9 0 0 0 9 0 1 0 9"`, `"9 9 9"`, `key "Lattice" has 3 numbers`},
		{"flat lattice", `"9 0 0 0 9 0 1 0 9"`, `"9 0 0 9 0 0 1 0 9"`, "no volume"},
		{"quote", `pbc="T T T"`, `pbc="T T T`, "does not end"},
		{"bracket", `pbc="T T T"`, `pbc=[T T T`, "does not end"},
		{"twice", `energy=-14.25`, `energy=-14.25 energy=-14.25`, `key "energy" is given twice`},
		{"no value", `pbc="T T T"`, `pbc=`, `key "pbc" has no value`},
		{"no species", "species:S:1", "symbol:S:1", "no column species:S:1"},
		{"no positions", "pos:R:3", "coord:R:3", "no column pos:R:3"},
		{"positions as text", "pos:R:3", "pos:S:3", `column "pos" is not numeric`},
		{"two columns of positions", "forces:R:3", "pos:R:3", `column "pos" in Properties is empty or given twice`},
		{"width", "forces:R:3", "forces:R:2", `column "forces" has 2 words`},
		{"huge width", "forces:R:3", "forces:R:999999999", "width outside"},
		{"type letter", "forces:R:3", "forces:Q:3", "type other than"},
		{"type name", "\nO ", "\n\x01 ", "type name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(water, tt.old, tt.new, 1)
			if text == water {
				t.Fatal("the case changes nothing")
			}
			_, err := read(text, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), `"a.xyz"`) {
				t.Fatalf("got %v, want an error with %q that names the file", err, tt.want)
			}
			for _, secret := range []string{"14.25", "0.96", "0,93"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a number of the file: %v", err)
				}
			}
		})
	}
}

func TestLongLineIsRefused(t *testing.T) {
	_, err := read("1\n"+strings.Repeat("a", 17<<20), nil)
	if !errors.Is(err, extxyz.ErrSyntax) || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("got %v", err)
	}
}

func TestConventionChoosesKeys(t *testing.T) {
	conv := &dataset.Convention{
		Energy:   dataset.Energy{Unit: dataset.Hartree, Per: dataset.PerFormulaUnit},
		Forces:   &dataset.Forces{Present: dataset.PresentAll, Quantity: dataset.Gradient},
		Boundary: dataset.Boundary{DimensionTypes: [3]int{1, 1, 1}},
		Keys:     &dataset.Keys{Energy: "e_scf", Forces: "gradient", FormulaUnits: "Nmols"},
	}
	text := strings.NewReplacer("energy=-14.25", "energy=7 e_scf=-2 Nmols=3", "forces:R", "gradient:R").Replace(water)
	got, err := read(text, conv)
	if err != nil {
		t.Fatal(err)
	}
	if e, f := *got[0].Energy, got[0].Forces[0]; e != -6*dataset.HartreeInElectronVolt || f != -0.5 {
		t.Errorf("got energy %g and force %g", e, f)
	}
	if got[0].Virial != nil {
		t.Error("a virial was read although the convention does not describe one")
	}
	if _, err := read(water, conv); err == nil || !strings.Contains(err.Error(), `no column "gradient" for the forces; columns are: species, pos, forces`) {
		t.Errorf("got %v", err)
	}
}
