package testnet

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestClaim(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(dir string) error
		foreign bool
	}{
		{"new", func(string) error { return nil }, false},
		{"empty", func(dir string) error { return os.Mkdir(dir, 0o755) }, false},
		{"of an earlier run", func(dir string) error {
			f, err := Claim(dir)
			if err != nil {
				return err
			}
			_, err = f.makeDir("nodes", "alpha")
			return err
		}, false},
		{"with something else", func(dir string) error { return os.MkdirAll(filepath.Join(dir, "nodes"), 0o755) }, true},
		{"with a marker of something else", func(dir string) error {
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, markerFile), []byte("mine"), 0o644)
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "run")
			if err := tt.prepare(dir); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadDir(dir)
			_, err := Claim(dir)
			after, _ := os.ReadDir(dir)
			if tt.foreign {
				if !errors.Is(err, ErrForeign) || len(after) != len(before) {
					t.Errorf("got %v, %d of %d entries are left", err, len(after), len(before))
				}
				return
			}
			if err != nil || len(after) != 1 || after[0].Name() != markerFile {
				t.Errorf("got %v, %v", err, after)
			}
		})
	}
}

func TestClaimOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Claim(path); err == nil {
		t.Error("a file was taken for a folder")
	}
}
