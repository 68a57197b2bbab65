package bench

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// TestBuiltInSystems requires the same coordinates on every machine, for ever: numbers of different years are comparable
// only then.
func TestBuiltInSystems(t *testing.T) {
	for _, c := range []struct {
		name  string
		edge  int
		atoms int
		hash  string
	}{
		{"water192", 4, 192, "7ca1123e49ad3bf1"},
		{"water1536", 8, 1536, "13ec01ae8c48017d"},
		{"water12288", 16, 12288, "f063767406185068"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := waterLattice(c.edge)
			if f.NumAtoms() != c.atoms {
				t.Errorf("got %d atoms, want %d", f.NumAtoms(), c.atoms)
			}
			if got := positionHash(&f); got != c.hash {
				t.Errorf("got positions with hash %s, want %s", got, c.hash)
			}
			if err := f.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// positionHash hashes cell and positions in units of 1e-6 Å.
func positionHash(f *dataset.Frame) string {
	h := sha256.New()
	for _, x := range append(f.Cell[:], f.Positions...) {
		_ = binary.Write(h, binary.LittleEndian, int64(math.Round(x*1e6)))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

func TestWaterGeometry(t *testing.T) {
	f := waterLattice(4)
	grams := 64 * 18.01528 / 6.02214076e23
	if density := grams / (dataset.Volume(f.Cell) * 1e-24); math.Abs(density-0.997) > 1e-5 {
		t.Errorf("got density %g g/cm³, want 0.997", density)
	}
	nearest := math.Inf(1) // between molecules
	for i := range f.NumAtoms() {
		for j := range i {
			d := distance(&f, i, j)
			if i/3 != j/3 {
				nearest = min(nearest, d)
				continue
			}
			want := 0.9572
			if j%3 != 0 {
				want = 2 * 0.9572 * math.Sin(104.52/2*math.Pi/180)
			}
			if math.Abs(d-want) > 3e-6 {
				t.Errorf("atoms %d and %d of a molecule: got distance %.7f Å, want %.7f", i, j, d, want)
			}
		}
	}
	if nearest < 1.15 || nearest > 1.9 { // two OH bonds may point at each other
		t.Errorf("got %.3f Å between the nearest molecules", nearest)
	}
}

// distance returns the distance of the nearest images, Å.
func distance(f *dataset.Frame, i, j int) float64 {
	sum := 0.0
	for k := range 3 {
		side := f.Cell[4*k]
		d := f.Positions[3*i+k] - f.Positions[3*j+k]
		d -= side * math.Round(d/side)
		sum += d * d
	}
	return math.Sqrt(sum)
}

func TestOpenSystem(t *testing.T) {
	s, err := OpenSystem("water192", nil)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.labelled()
	if err != nil {
		t.Fatal(err)
	}
	if f.Energy == nil || *f.Energy == 0 || len(f.Forces) != 3*192 || s.Frame.Energy != nil {
		t.Error("want labels for a step, and none before")
	}
	if s, err = OpenSystem("water375", nil); err != nil {
		t.Fatal(err)
	}
	if s.Frame.NumAtoms() != 375 {
		t.Errorf("water375 has %d atoms", s.Frame.NumAtoms())
	}
	path := filepath.Join(t.TempDir(), "two.xyz")
	text := "2\nProperties=species:S:1:pos:R:3\nO 0 0 0\nH 0 0 1\n1\nProperties=species:S:1:pos:R:3\nO 0 0 0\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if s, err = OpenSystem(path, nil); err != nil {
		t.Fatal(err)
	}
	if f, err = s.labelled(); err != nil {
		t.Fatal(err)
	}
	if f.NumAtoms() != 2 || f.Energy == nil || len(f.Forces) != 6 || s.Frame.Energy != nil {
		t.Errorf("got %d atoms and %d forces, want the first frame, with labels for a step", f.NumAtoms(), len(f.Forces))
	}
	if _, err := OpenSystem("water193", nil); err == nil || !strings.Contains(err.Error(), "water192, water1536, water12288") {
		t.Errorf("got error %v, want one that names the systems", err)
	}
}
