package dataset_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// silos reads the example conventions of real public data sets.
func silos(t testing.TB) map[string]*dataset.Convention {
	t.Helper()
	text, err := os.ReadFile("testdata/silos.json")
	if err != nil {
		t.Fatal(err)
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(text, &parts); err != nil {
		t.Fatal(err)
	}
	out := map[string]*dataset.Convention{}
	for name, part := range parts {
		c, err := dataset.DecodeConvention(strings.NewReader(string(part)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = c
	}
	return out
}

// These keys are names that members of a federation have agreed on: a change here splits heads of running federations.
var goldenKeys = map[string]dataset.Key{
	"combustion_nopbc":      "ef116f54c59d",
	"dimers_wb97x_s66x8":    "70a2b9ab32fc",
	"electrolyte_dft_ecemc": "a812e7714ab5",
	"electrolyte_xtb":       "9ddc85193516",
	"inorganic_pbe":         "6c5923bddad9",
	"metals_pbe_mlearn":     "e67c3afe3dab",
	"mol_b3lyp_qm22":        "adf43009483b",
	"mol_pbe_ethanol":       "1a1755a59a0e",
	"mol_pbed3_acac":        "5ea39ab0d262",
	"mol_wb97x_3bpa":        "70a2b9ab32fc",
	"water_pbe0ts":          "4d69b1a33d4f",
}

func TestKeysOfPublicSilos(t *testing.T) {
	all := silos(t)
	if len(all) != len(goldenKeys) {
		t.Errorf("got %d silos, want %d", len(all), len(goldenKeys))
	}
	owner := map[dataset.Key]string{}
	for name, c := range all {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: a decoded convention does not validate: %v", name, err)
		}
		key, err := c.Key()
		if err != nil {
			t.Fatal(err)
		}
		if key != goldenKeys[name] {
			text, _ := c.Identity()
			t.Errorf("%s: got key %s, want %s, of %s", name, key, goldenKeys[name], text)
		}
		if strings.HasPrefix(name, "dimers_wb97x") {
			continue // the one true match, tested below
		}
		if other, taken := owner[key]; taken {
			t.Errorf("%s and %s share the key %s", name, other, key)
		}
		owner[key] = name
	}
	if goldenKeys["mol_wb97x_3bpa"] != goldenKeys["dimers_wb97x_s66x8"] {
		t.Error("3BPA and s66x8 have the same level of theory but different keys")
	}
}

func TestIdentityIsCanonical(t *testing.T) {
	c := silos(t)["mol_pbed3_acac"]
	got, err := c.Identity()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"basis":{"name":"def2-svp","type":"gto"},"energy":{"quantity":"potential_energy"},"method":{"is_spin_polarized":true,` +
		`"jacobs_ladder":"gga","kind":"dft","libxc_name":["gga_c_pbe","gga_x_pbe"],"name":"pbe-d3","van_der_waals_correction":"d3"}}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestKeyIgnoresWhatCanBeConverted(t *testing.T) {
	no, half := false, 0.5
	for name, change := range map[string]func(c *dataset.Convention){
		"units":            func(c *dataset.Convention) { c.Energy.Unit, c.Energy.Per = dataset.Hartree, dataset.PerAtom },
		"gradient":         func(c *dataset.Convention) { c.Forces.Quantity = dataset.Gradient },
		"keys":             func(c *dataset.Convention) { c.Keys = &dataset.Keys{Energy: "e"} },
		"license":          func(c *dataset.Convention) { c.Provenance.License = "CC0-1.0" },
		"zero of energy":   func(c *dataset.Convention) { c.Energy.Reference.Kind = dataset.ReferenceUnknown },
		"cutoff is advice": func(c *dataset.Convention) { c.Basis.CutoffEnergy = &half },
		"case and blanks":  func(c *dataset.Convention) { c.Method.Name = "  pbe-D3 " },
		"order of a set":   func(c *dataset.Convention) { c.Method.LibXC = []string{"GGA_X_PBE", "GGA_C_PBE"} },
		"explicit defaults": func(c *dataset.Convention) {
			c.State = &dataset.State{MagneticOrder: "unspecified", ChargePolicy: "all_neutral"}
		},
		"kinetic default": func(c *dataset.Convention) { c.Stress.IncludesKinetic = &no },
	} {
		t.Run(name, func(t *testing.T) {
			before, after := keyOf(t, silos(t)["mol_pbed3_acac"], nil), keyOf(t, silos(t)["mol_pbed3_acac"], change)
			if before != after {
				t.Errorf("key changed from %s to %s", before, after)
			}
		})
	}
}

func TestKeySeesWhatCannotBeConverted(t *testing.T) {
	yes, quarter := true, 0.25
	seen := map[dataset.Key]string{keyOf(t, silos(t)["mol_pbed3_acac"], nil): "unchanged"}
	for name, change := range map[string]func(c *dataset.Convention){
		"functional": func(c *dataset.Convention) { c.Method.Name = "PBE" },
		"dispersion": func(c *dataset.Convention) { c.Method.VanDerWaals = "D4" },
		"exchange":   func(c *dataset.Convention) { c.Method.ExactExchange = &quarter },
		"hubbard": func(c *dataset.Convention) {
			c.Method.HubbardU = []dataset.HubbardU{{Element: "Fe", Orbital: "d", Strength: 4}}
		},
		"basis":         func(c *dataset.Convention) { c.Basis.Name = "def2-TZVP" },
		"core":          func(c *dataset.Convention) { c.Basis.Pseudopotential = &dataset.Pseudopotential{Core: "ecp"} },
		"spin":          func(c *dataset.Convention) { c.Method.SpinPolarized = nil },
		"environment":   func(c *dataset.Convention) { c.Method.Environment = "cpcm water" },
		"charge":        func(c *dataset.Convention) { c.State = &dataset.State{ChargePolicy: "per_frame"} },
		"free energy":   func(c *dataset.Convention) { c.Energy.Quantity = "free_energy_electronic" },
		"derivative of": func(c *dataset.Convention) { c.Forces.DerivativeOf = "free_energy_electronic" },
		"kinetic part":  func(c *dataset.Convention) { c.Stress.IncludesKinetic = &yes },
	} {
		key := keyOf(t, silos(t)["mol_pbed3_acac"], change)
		if other, taken := seen[key]; taken {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[key] = name
	}
}

func keyOf(t *testing.T, c *dataset.Convention, change func(*dataset.Convention)) dataset.Key {
	t.Helper()
	if change != nil {
		change(c)
	}
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	key, err := c.Key()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestDecodeConventionRefuses(t *testing.T) {
	const good = `{"convention_version":1,"method":{"kind":"dft","name":"PBE"},"energy":{"quantity":"potential_energy","per":"atom",
		"unit":"eV","reference":{"kind":"absolute"}},"forces":{"present":"all"},"boundary":{"dimension_types":[1,1,1]},"provenance":{"license":"MIT"}}`
	if _, err := dataset.DecodeConvention(strings.NewReader(good)); err != nil {
		t.Fatalf("the text that the cases vary is refused: %v", err)
	}
	for _, tt := range []struct{ name, old, new, want string }{
		{"empty", good, " \n", "the file is empty"},
		{"unknown key", `"kind":"dft"`, `"kind":"dft","libxc":"x"`, `unknown key "method.libxc"; known there: environment,`},
		{"unknown top key", `"method":`, `"metod":{},"method":`, `unknown key "metod"`},
		{"word", `"unit":"eV"`, `"unit":"ev"`, `"energy.unit": "ev" is not known; choose one of eV, hartree, kcal/mol`},
		{"missing", `"per":"atom",`, ``, `"energy.per" is missing`},
		{"version", `"convention_version":1`, `"convention_version":2`, `"convention_version" must be 1`},
		{"type", `"name":"PBE"`, `"name":3`, `"method.name" is number, want string`},
		{"null", `"name":"PBE"`, `"name":null`, `"method.name" is null, want string`},
		{"dimensions", `[1,1,1]`, `[1,1]`, `has 2 entries, want 3`},
		{"dimension", `[1,1,1]`, `[1,1,2]`, `"boundary.dimension_types"[2]`},
		{"twice", `"kind":"dft"`, `"kind":"dft","kind":"mlip"`, `key "method.kind" is given twice`},
		{"no name", `"name":"PBE"`, `"name":""`, `"method.name" is empty`},
		{"no license", `"license":"MIT"`, `"license":""`, `"provenance.license" is empty`},
		{"truncated", `"license":"MIT"}}`, `"license":"MIT"`, "not JSON"},
		{"trailing", `"license":"MIT"}}`, `"license":"MIT"}} {}`, "text after the end"},
		{"stress without unit", `"forces":{"present":"all"}`, `"stress":{"present":"all","quantity":"virial"}`, `needs "quantity" and "unit"`},
		{"stress contradiction", `"forces":{"present":"all"}`, `"stress":{"present":"all","quantity":"virial","unit":"eV","volume_normalized":true}`, "one of the two is wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.old, tt.new, 1)
			if text == good {
				t.Fatal("the case changes nothing")
			}
			_, err := dataset.DecodeConvention(strings.NewReader(text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, dataset.ErrBadConvention) {
				t.Errorf("got %v, want ErrBadConvention with %q", err, tt.want)
			}
		})
	}
}

func FuzzDecodeConvention(f *testing.F) {
	for _, c := range silos(f) {
		text, err := json.Marshal(c)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := dataset.DecodeConvention(strings.NewReader(text))
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("a decoded convention does not validate: %v", err)
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		second, err := dataset.DecodeConvention(strings.NewReader(string(again)))
		if err != nil {
			t.Fatalf("the text of a convention is refused: %v", err)
		}
		if keyOf(t, c, nil) != keyOf(t, second, nil) {
			t.Fatal("writing a convention changes its key")
		}
	})
}
