package deepmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/sharedtest"
)

// TestEveryFixtureReads finds and reads all npy systems that DeePMD-kit ships.
func TestEveryFixtureReads(t *testing.T) {
	systems, err := Find(sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3"))
	if err != nil || len(systems) != 35 {
		t.Fatalf("found %d systems, %v; want 35", len(systems), err)
	}
	for _, dir := range systems {
		frames, err := Read(dir, nil, Options{TypeMap: []string{"O", "H", "C"}})
		if err != nil {
			t.Error(err)
			continue
		}
		labelled := !strings.Contains(dir, "property") && !strings.Contains(dir, "water_tensor")
		for _, f := range frames {
			if (f.Energy != nil) != labelled || (f.Forces != nil) != labelled {
				t.Errorf("%s: energy %t, forces %t", f.Name(), f.Energy != nil, f.Forces != nil)
			}
		}
	}
}

// TestAuditOfReactiveData holds the audit against hard but sound data: combustion, forces to 148 eV/Å, open boundaries.
func TestAuditOfReactiveData(t *testing.T) {
	base := sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", "examples", "nopbc", "data")
	for name, duplicates := range map[string]int{"C1H4O2": 14, "C3H3O4": 7, "C4H3O1": 0} {
		frames, err := Read(filepath.Join(base, name), nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		r := dataset.Audit(frames)
		if !r.Consistency.Good() || r.Duplicates != duplicates {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

// TestSpinEnergiesAreNoticed: energies of these magnetic frames depend on spins, for which the frames have no forces.
func TestSpinEnergiesAreNoticed(t *testing.T) {
	frames, err := Read(sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", "source", "tests", "pt", "NiO", "data", "data_0"), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := dataset.Audit(frames)
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "a part that has no forces") {
		t.Errorf("got %v", err)
	}
}

// TestTypesKeepFileOrder: this system's types are not sorted, and stand on one line in another one.
func TestTypesKeepFileOrder(t *testing.T) {
	for path, want := range map[string][]string{
		"examples/nopbc/data/C1H4O2":                                        {"H", "H", "H", "H", "C", "O", "O"},
		"examples/water_tensor/dipole/training_data_reformat/global_system": {"O", "H", "H", "O", "H", "H", "O"},
	} {
		frames, err := Read(sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", path), nil, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, frames[0].Species[:7]); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

// TestConventionIsApplied reads a system in a 100 Å box as molecules, and its energies as if they were hartree.
func TestConventionIsApplied(t *testing.T) {
	dir := sharedtest.Dir(t, "fixtures", "deepmd", "v3.1.3", "examples", "hessian", "data", "H8C4N2O")
	plain, err := Read(dir, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	conv := &dataset.Convention{Energy: dataset.Energy{Unit: dataset.Hartree}, Boundary: dataset.Boundary{NonperiodicAs: dataset.VacuumBox}}
	got, err := Read(dir, conv, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if plain[3].Cell == nil || got[3].Cell != nil || *got[3].Energy != *plain[3].Energy*dataset.HartreeInElectronVolt {
		t.Errorf("cells %v and %v", plain[3].Cell != nil, got[3].Cell != nil)
	}
	conv.Boundary.NonperiodicAs = dataset.NoCell
	if _, err := Read(dir, conv, Options{}); err == nil || !strings.Contains(err.Error(), "nonperiodic_as vacuum_box") {
		t.Errorf("got %v", err)
	}
}

// FuzzSystem builds a system of hostile text and array files.
func FuzzSystem(f *testing.F) {
	f.Add("0 1 1", "O H", []byte("\x93NUMPY\x01\x00\x46\x00{'descr': '<f8', 'fortran_order': False, 'shape': (1, 9), }            \n"+strings.Repeat("\x00", 72)), true)
	f.Add("0", "", []byte{}, false)
	f.Fuzz(func(t *testing.T, types, names string, coord []byte, open bool) {
		dir := t.TempDir()
		files := map[string]string{"type.raw": types, "type_map.raw": names, "set.000/coord.npy": string(coord), "set.000/real_atom_types.npy": string(coord)}
		if open {
			files["nopbc"] = ""
			delete(files, "set.000/real_atom_types.npy")
		}
		writeFiles(t, dir, files)
		frames, err := Read(dir, nil, Options{})
		if err != nil {
			return
		}
		for _, f := range frames {
			if err := f.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
