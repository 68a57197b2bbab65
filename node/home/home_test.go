package home_test

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/node/home"
	"github.com/google/go-cmp/cmp"
)

const convention = `{"convention_version":1,"method":{"kind":"forcefield","name":"SPC/Fw"},
"energy":{"quantity":"potential_energy","per":"configuration","unit":"eV","reference":{"kind":"absolute"}},
"boundary":{"dimension_types":[1,1,1]},"provenance":{"license":"CC0-1.0"}}`

func create(t *testing.T, cfg home.Config) *home.Home {
	t.Helper()
	if cfg.Name == "" {
		cfg.Name = "water lab"
	}
	h, err := home.Create(filepath.Join(t.TempDir(), "node"), cfg, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestCreateThenOpen(t *testing.T) {
	made := create(t, home.Config{Listen: []string{"/ip4/127.0.0.1/tcp/4101"}, Data: []home.Data{{Path: "a.xyz", Convention: "c.json"}}})
	opened, err := home.Open(made.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, opened); diff != "" {
		t.Errorf("opened differs from made:\n%s", diff)
	}
	if opened.Identity.Equal(opened.Signing) || opened.Identity.Equal(opened.Public) {
		t.Error("one key serves two purposes")
	}
	if opened.Config.Policy.MinCohort != 5 || *opened.Config.Training.ValidationFraction != 0.1 {
		t.Errorf("defaults are missing: %+v", opened.Config)
	}
	if _, err := home.Create(made.Dir, home.Config{Name: "again"}, rand.Reader); !errors.Is(err, home.ErrExists) {
		t.Errorf("second Create: %v, want ErrExists", err)
	}
}

func TestKeysMustBePrivate(t *testing.T) {
	h := create(t, home.Config{})
	path := filepath.Join(h.Dir, "signing.key")
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v; want 0600", info.Mode(), err)
	}
	for _, c := range []struct {
		name  string
		spoil func() error
		want  string
	}{
		{"readable by others", func() error { return os.Chmod(path, 0o644) }, "chmod 600"},
		{"damaged", func() error { return errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("x"), 0o600)) }, "PEM"},
		{"gone", func() error { return os.Remove(path) }, "backup"},
	} {
		if err := c.spoil(); err != nil {
			t.Fatal(err)
		}
		if _, err := home.Open(h.Dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want it to say %q", c.name, err, c.want)
		}
	}
}

func TestReadConfig(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "name = \"x\"\nlisten_on = 1", "listen_on"},
		{"unknown nested key", "name = \"x\"\n[policy]\nmin_cohorts = 1", "min_cohorts"},
		{"no name", "", "name must have"},
		{"control character", "name = \"a\\u001bb\"", "printable"},
		{"relay behind a NAT", "name = \"x\"\n[network]\nrelay = true\nnat = true", "set one to false"},
		{"cohort of one", "name = \"x\"\n[policy]\nmin_cohort = 1", "at least 2"},
		{"precision", "name = \"x\"\n[training]\nprecision = \"half\"", "float32 or float64"},
		{"validation", "name = \"x\"\n[training]\nvalidation_fraction = 0.9", "between 0 and 0.5"},
		{"threads", "name = \"x\"\n[training]\nthreads = -1", "all cores"},
		{"data without convention", "name = \"x\"\n[[data]]\npath = \"a\"", "both path and convention"},
		{"not TOML", "name", "expected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "node.toml")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := home.ReadConfig(path); !errors.Is(err, home.ErrConfig) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want it to say %q", err, c.want)
			}
		})
	}
	if _, err := home.ReadConfig(filepath.Join(t.TempDir(), "node.toml")); err == nil || !strings.Contains(err.Error(), "fedlam init") {
		t.Errorf("no file: %v, want advice", err)
	}
}

func TestGenesis(t *testing.T) {
	h := create(t, home.Config{})
	if _, err := h.Genesis(); !errors.Is(err, home.ErrNoGenesis) {
		t.Errorf("before joining: %v, want ErrNoGenesis", err)
	}
	for range 2 {
		if err := h.PutGenesis([]byte("g")); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.PutGenesis([]byte("other")); err == nil {
		t.Error("joined a second federation")
	}
	if got, err := h.Genesis(); string(got) != "g" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestCard(t *testing.T) {
	h := create(t, home.Config{Announce: []string{"/dns4/fedlam.example.org/udp/4101/quic-v1"},
		Data: []home.Data{{Path: "a.xyz", Convention: "../c.json"}, {Path: "b.xyz", Convention: "../c.json"}}})
	if err := os.WriteFile(filepath.Join(h.Dir, "../c.json"), []byte(convention), 0o600); err != nil {
		t.Fatal(err)
	}
	card, err := h.Card()
	if err != nil {
		t.Fatal(err)
	}
	if len(card.Conventions) != 1 || len(card.Addresses) != 1 {
		t.Errorf("%d conventions, %d addresses; want one of each", len(card.Conventions), len(card.Addresses))
	}
	text, err := card.Text()
	if err != nil {
		t.Fatal(err)
	}
	again, err := home.ParseCard(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(card, again); diff != "" {
		t.Errorf("card changed by writing and reading:\n%s", diff)
	}
	for _, secret := range [][]byte{h.Identity.Seed(), h.Signing.Seed(), h.Public.Seed()} {
		if strings.Contains(string(text), string(secret)) {
			t.Error("a secret is on the card")
		}
	}
}

func TestCardListsInterfaces(t *testing.T) {
	for _, c := range []struct{ name, listen, want string }{
		{"loopback stays", "/ip4/127.0.0.1/tcp/4101", "/ip4/127.0.0.1/tcp/4101"},
		{"unspecified is resolved", "/ip4/0.0.0.0/tcp/4101", "/tcp/4101"},
	} {
		t.Run(c.name, func(t *testing.T) {
			card, err := create(t, home.Config{Listen: []string{c.listen}}).Card()
			if err != nil {
				t.Fatal(err)
			}
			for _, a := range card.Addresses {
				if !strings.Contains(a, c.want) || strings.Contains(a, "0.0.0.0") {
					t.Errorf("address %s, want %s", a, c.want)
				}
			}
		})
	}
}

func FuzzParseCard(f *testing.F) {
	f.Add([]byte(`{"fedlam_card":1,"name":"x","member":"00","peer":"p","addresses":["/ip4/1.2.3.4/tcp/1"],"conventions":[{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := home.ParseCard(text)
		if err != nil {
			return
		}
		out, err := c.Text()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := home.ParseCard(out); err != nil {
			t.Errorf("what Text wrote is refused: %v", err)
		}
	})
}

func TestInspectKeys(t *testing.T) {
	h := create(t, home.Config{})
	if err := os.Chmod(filepath.Join(h.Dir, "signing.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.Dir, "public.key"), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := home.InspectKeys(h.Dir)
	if len(got) != 3 || got[0].File != home.IdentityKey || got[1].File != home.SigningKey {
		t.Fatalf("got %+v", got)
	}
	if got[0].Err != nil || got[0].Mode != 0o600 || !got[0].Public.Equal(h.Identity.Public()) {
		t.Errorf("identity: %+v", got[0])
	}
	if got[1].Err != nil || got[1].Mode != 0o644 || !got[1].Public.Equal(h.Signing.Public()) {
		t.Errorf("signing: %+v", got[1])
	}
	if got[2].Err == nil || !strings.Contains(got[2].Err.Error(), "not a private key in PEM") {
		t.Errorf("public: %+v", got[2])
	}
	for _, k := range home.InspectKeys(t.TempDir()) {
		if !errors.Is(k.Err, os.ErrNotExist) {
			t.Errorf("%s in an empty folder: %v", k.File, k.Err)
		}
	}
}
