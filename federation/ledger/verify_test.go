package ledger

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
)

func TestVerifyDir(t *testing.T) {
	g := testGenesis(4)
	files, err := testRelease(t, g).Files()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	report, err := VerifyDir(dir, g.CID())
	if err != nil {
		t.Fatal(err)
	}
	if report.Round != 3 || report.Voids != 1 || !slices.Equal(report.Signed, []string{"member 0", "member 1", "member 3"}) || report.Files != len(files) {
		t.Errorf("report = %+v", report)
	}
	if _, err := VerifyDir(dir, NoState()); err == nil {
		t.Error("another genesis was accepted")
	}
	if err := os.MkdirAll(filepath.Join(dir, "export"), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyDir(dir, g.CID()); !errors.Is(err, ErrUnknown) {
		t.Errorf("with an unknown folder: %v, want ErrUnknown", err)
	}
}

// TestEveryByteIsCovered flips bytes all over every file. The error must name the file.
func TestEveryByteIsCovered(t *testing.T) {
	g := testGenesis(4)
	files, err := testRelease(t, g).Files()
	if err != nil {
		t.Fatal(err)
	}
	covered(t, files, g.CID(), 199)
}

// covered flips about flips bytes of every file.
func covered(t *testing.T, files map[string][]byte, genesis cid.Cid, flips int) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		t.Run(name, func(t *testing.T) {
			content := files[name]
			step := max(1, len(content)/flips)
			for at := 0; at < len(content); at += step {
				content[at] ^= 0x10
				_, err := VerifyFiles(files, genesis)
				content[at] ^= 0x10
				var broken *Broken
				if !errors.As(err, &broken) || broken.File != name || !strings.Contains(err.Error(), name) {
					t.Fatalf("byte %d of %d flipped: %v; want an error that names the file", at, len(content), err)
				}
			}
			if _, err := VerifyFiles(files, genesis); err != nil {
				t.Fatalf("with all bytes back in place: %v", err)
			}
		})
	}
}

func TestMissingAndUnknownFiles(t *testing.T) {
	g := testGenesis(4)
	files, err := testRelease(t, g).Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		less := maps.Clone(files)
		delete(less, name)
		if _, err := VerifyFiles(less, g.CID()); !errors.Is(err, ErrMissing) {
			t.Errorf("without %s: %v, want ErrMissing", name, err)
		}
	}
	more := maps.Clone(files)
	more["records/000009.cbor"] = []byte{0xa0}
	var broken *Broken
	if _, err := VerifyFiles(more, g.CID()); !errors.Is(err, ErrUnknown) || !errors.As(err, &broken) || broken.File != "records/000009.cbor" {
		t.Errorf("with a file more: %v, want ErrUnknown", err)
	}
}

// TestOlderWeights hands out the weights of an earlier round under the newest certificate.
func TestOlderWeights(t *testing.T) {
	g := testGenesis(4)
	rel := testRelease(t, g)
	rel.Weights = testWeights(1)
	files, err := rel.Files()
	if err != nil {
		t.Fatal(err)
	}
	var broken *Broken
	if _, err := VerifyFiles(files, g.CID()); !errors.As(err, &broken) || broken.File != WeightsFile {
		t.Errorf("got %v, want %s named", err, WeightsFile)
	}
}
