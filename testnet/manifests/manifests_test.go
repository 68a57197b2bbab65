package manifests_test

import (
	"path/filepath"
	"testing"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/dataset/sharedtest"
	"github.com/fedlam/fedlam/testnet/manifest"
)

// TestManifests reads every manifest in this folder with its conventions.
func TestManifests(t *testing.T) {
	paths, err := filepath.Glob("*.toml")
	if err != nil || len(paths) < 2 {
		t.Fatalf("%d manifests, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			m, err := manifest.Read(path, manifest.Options{Shared: "/shared"})
			if err != nil {
				t.Fatal(err)
			}
			if path != m.Name+".toml" {
				t.Errorf("%s is named %q", path, m.Name)
			}
			heads := map[dataset.Key]int{}
			for _, p := range m.Members {
				c, err := dataset.ReadConvention(p.Convention)
				if err != nil {
					t.Fatal(err)
				}
				key, err := c.Key()
				if err != nil {
					t.Fatal(err)
				}
				heads[key]++
			}
			if len(heads) != 4 || len(m.Members) != 5 {
				t.Errorf("%d members have %d heads, want 5 with 4", len(m.Members), len(heads))
			}
		})
	}
}

// TestData reads the real frames as the manifest names them: counts are those of the data's README, and labels pass the
// audit under the conventions written here.
func TestData(t *testing.T) {
	shared := filepath.Dir(sharedtest.Dir(t, "data"))
	t.Setenv("FEDLAM_SHARED", "")
	m, err := manifest.Read("molecules.toml", manifest.Options{Shared: shared})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]struct{ frames, virials int }{"threebpa-a": {250, 0}, "threebpa-b": {250, 0}, "acac": {500, 0}, "ethanol": {1000, 0}, "ecemc": {200, 200}}
	seen := map[dataset.Fingerprint]string{}
	for _, p := range m.Members {
		c, err := dataset.ReadConvention(p.Convention)
		if err != nil {
			t.Fatal(err)
		}
		frames, err := load.Open(p.Data, c)
		if err != nil {
			t.Fatal(err)
		}
		r := dataset.Audit(frames)
		if err := r.Err(); err != nil || len(frames) != want[p.Name].frames || r.WithVirial != want[p.Name].virials || r.WithForces != len(frames) {
			t.Errorf("%s: %d frames, %d with forces, %d with virial, %v", p.Name, len(frames), r.WithForces, r.WithVirial, err)
		}
		for i := range frames {
			print := frames[i].Fingerprint()
			if owner := seen[print]; owner != "" && owner != p.Name {
				t.Errorf("a frame of %s is also one of %s", p.Name, owner)
			}
			seen[print] = p.Name
		}
	}
}
