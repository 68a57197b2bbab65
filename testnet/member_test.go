package testnet

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/testnet/demo"
	"github.com/fedlam/fedlam/testnet/manifest"
)

// demoManifest writes the demo with few frames and reads its manifest.
func demoManifest(t *testing.T) *manifest.Manifest {
	t.Helper()
	path, err := demo.Write(t.TempDir(), demo.Options{Frames: 12, Rounds: 2})
	if err != nil {
		t.Fatal(err)
	}
	m, err := manifest.Read(path, manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOpenMembers(t *testing.T) {
	m := demoManifest(t)
	// A file in which every frame occurs twice is the same data.
	text, err := os.ReadFile(m.Members[0].Data)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(m.Members[0].Data, append(text, text...), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Claim(filepath.Join(t.TempDir(), "run"))
	if err != nil {
		t.Fatal(err)
	}
	members, err := openMembers(m, f)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range members {
		if p.held == 0 || len(p.train)+p.held != 12 || (p.copies != 0) != (i == 0) || i == 0 && p.copies != 12 {
			t.Errorf("%s: %d and %d frames, %d copies", p.Name, len(p.train), p.held, p.copies)
		}
		convention, err := dataset.ReadConvention(p.Convention)
		if err != nil {
			t.Fatal(err)
		}
		held, err := load.Open(p.validation, convention)
		if err != nil || len(held) != p.held {
			t.Fatalf("%s: %d validation frames, %v", p.Name, len(held), err)
		}
		inTraining := map[dataset.Fingerprint]bool{}
		for _, frame := range p.train {
			inTraining[frame.Fingerprint()] = true
		}
		sum := 0.0
		for _, frame := range held {
			if inTraining[frame.Fingerprint()] {
				t.Errorf("%s: a validation frame is also trained on", p.Name)
			}
			for _, v := range frame.Forces {
				sum += v * v
			}
		}
		if rms := math.Sqrt(sum / float64(72*len(held))); math.Abs(rms-p.reference) > 1e-9 || p.scores().Reference != 1e3*p.reference {
			t.Errorf("%s: reference %g, want %g", p.Name, p.reference, rms)
		}
	}
	if members[0].key != members[1].key || members[0].title != "SPC/Fw" {
		t.Errorf("heads %s %s, %s", members[0].title, members[0].key, members[1].key)
	}
}

func TestOpenMembersRefuses(t *testing.T) {
	good := demoManifest(t)
	for _, tt := range []struct {
		name, want string
		change     func(p *manifest.Member)
	}{
		{"no data", "member south", func(p *manifest.Member) { p.Data = "/does/not/exist.xyz" }},
		{"no convention", "member south", func(p *manifest.Member) { p.Convention = "/does/not/exist.json" }},
		{"nothing held back", "validation_fraction", func(p *manifest.Member) { p.ValidationFraction = 1e-9 }},
		{"data under another convention", "member south", func(p *manifest.Member) { p.Convention = filepath.Join(filepath.Dir(p.Convention), "north.json") }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := *good
			m.Members = slices.Clone(good.Members)
			tt.change(&m.Members[1])
			f, err := Claim(filepath.Join(t.TempDir(), "run"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := openMembers(&m, f); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
