package demo_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/testnet/demo"
	"github.com/fedlam/fedlam/testnet/manifest"
)

type member struct {
	key        dataset.Key
	convention *dataset.Convention
	frames     []dataset.Frame
	file       []byte
}

func make3(t *testing.T, frames int) (*manifest.Manifest, map[string]member) {
	t.Helper()
	path, err := demo.Write(t.TempDir(), demo.Options{Rounds: 3, Frames: frames})
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read(path, manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]member{}
	for _, p := range m.Members {
		c, err := dataset.ReadConvention(p.Convention)
		if err != nil {
			t.Fatal(err)
		}
		frames, err := load.Open(p.Data, c)
		if err != nil {
			t.Fatal(err)
		}
		key, err := c.Key()
		if err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(p.Data)
		if err != nil {
			t.Fatal(err)
		}
		out[p.Name] = member{key, c, frames, file}
	}
	return m, out
}

func TestWrite(t *testing.T) {
	m, members := make3(t, 0)
	if m.Rounds != 3 || len(members) != 3 {
		t.Fatalf("%d rounds, %d members", m.Rounds, len(members))
	}
	north, south, west := members["north"], members["south"], members["west"]
	if north.key != south.key || north.key == west.key {
		t.Errorf("heads are %s, %s and %s", north.key, south.key, west.key)
	}
	if north.convention.Energy.Unit == south.convention.Energy.Unit || north.convention.Forces.Quantity == south.convention.Forces.Quantity ||
		north.convention.Boundary.LengthUnit == south.convention.Boundary.LengthUnit {
		t.Error("north and south store their labels alike; the demo is to show that they need not")
	}
	for name, p := range members {
		if len(p.frames) != 100 || p.frames[0].NumAtoms() != 24 {
			t.Fatalf("%s has %d frames", name, len(p.frames))
		}
		if report := dataset.Audit(p.frames); report.Err() != nil || report.RMSForce < 0.4 || report.RMSForce > 1.5 {
			t.Errorf("%s: rms force %.3g eV/Å, %v", name, report.RMSForce, report.Err())
		}
	}
}

// TestOneTruth reads the frames of north under the convention of south written anew: labels of one potential agree
// whatever they are stored in.
func TestOneTruth(t *testing.T) {
	_, members := make3(t, 4)
	for _, f := range members["north"].frames {
		raw, err := members["south"].convention.Relabel(f)
		if err != nil {
			t.Fatal(err)
		}
		back, err := members["south"].convention.Canonical(raw)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(*back.Energy-*f.Energy) > 1e-9 || math.Abs(back.Forces[0]-f.Forces[0]) > 1e-9 {
			t.Errorf("%s changed by a change of convention", f.Name())
		}
		if math.Abs(*raw.Energy-*f.Energy) < 1e-3 {
			t.Error("the stored energy is in eV")
		}
	}
}

func TestSameEveryTime(t *testing.T) {
	_, a := make3(t, 4)
	_, b := make3(t, 4)
	for name := range a {
		if !bytes.Equal(a[name].file, b[name].file) {
			t.Errorf("the frames of %s differ from run to run", name)
		}
	}
	if bytes.Equal(a["north"].file, a["south"].file) {
		t.Error("north and south have the same frames")
	}
}

func TestWriteRefuses(t *testing.T) {
	if _, err := demo.Write(filepath.Join(t.TempDir(), "missing", "\x00"), demo.Options{}); err == nil {
		t.Error("wrote to a folder that cannot be")
	}
	if _, err := demo.Write(t.TempDir(), demo.Options{Rounds: -1}); err == nil {
		t.Error("wrote a demo of -1 rounds")
	}
}
