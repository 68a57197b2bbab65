package founding_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/deepmd"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/dataset/reference"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A watchedPlan lies in a folder with frames and conventions.
type watchedPlan struct {
	dir    string
	frames []dataset.Frame
	cards  []home.Card
}

// newWatchedPlan stores water frames in units of hartree, as extended XYZ and as a DeePMD system, and cards of two members with that convention, one of
// them with another one, too.
func newWatchedPlan(t *testing.T) *watchedPlan {
	t.Helper()
	p := &watchedPlan{dir: t.TempDir(), cards: []home.Card{card(t, "a"), card(t, "b")}}
	spc := reference.SPCFw(3)
	var err error
	if p.frames, err = reference.Sample(spc, reference.WaterBox(4, 1), reference.Langevin{Count: 40, Every: 5, Warmup: 50, Seed: 1}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*dataset.Convention{"spc": reference.Convention(spc), "tip": reference.Convention(reference.QTIP4PF(3)), "strange": reference.Convention(spc), "noforces": reference.Convention(spc)} {
		c.Energy.Unit = dataset.Hartree
		switch name {
		case "strange":
			c.Method.Name = "another method"
		case "noforces":
			c.Forces.Present = dataset.PresentNone
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		identity, err := c.Identity()
		if err != nil {
			t.Fatal(err)
		}
		p.put(t, name+".json", text)
		switch name {
		case "spc":
			p.cards[0].Conventions = append(p.cards[0].Conventions, identity)
			p.cards[1].Conventions = append(p.cards[1].Conventions, identity)
			p.store(t, c)
		case "tip":
			p.cards[0].Conventions = append(p.cards[0].Conventions, identity)
		}
	}
	return p
}

func (p *watchedPlan) put(t *testing.T, name string, text []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// store writes good frames and bad ones.
func (p *watchedPlan) store(t *testing.T, c *dataset.Convention) {
	t.Helper()
	strange := append([]dataset.Frame(nil), p.frames...)
	var raws []dataset.Raw
	for i := range p.frames {
		strange[i].Species = append([]string{"Cu"}, p.frames[i].Species[1:]...)
		raw, err := c.Relabel(p.frames[i])
		if err != nil {
			t.Fatal(err)
		}
		raws = append(raws, raw)
	}
	if err := errors.Join(extxyz.WriteFile(filepath.Join(p.dir, "good.xyz"), c, p.frames), deepmd.Write(filepath.Join(p.dir, "system"), raws),
		extxyz.WriteFile(filepath.Join(p.dir, "copper.xyz"), c, strange)); err != nil {
		t.Fatal(err)
	}
}

// found adds sections to the plan, and founds the federation.
func (p *watchedPlan) found(t *testing.T, sections string) (*founding.Documents, error) {
	t.Helper()
	p.put(t, "plan.toml", []byte(plan+sections))
	read, err := founding.ReadPlan(filepath.Join(p.dir, "plan.toml"))
	if err != nil {
		return nil, err
	}
	return founding.Found(read, p.cards, time.Unix(1e9, 0))
}

func section(convention, canary string) string {
	return "\n[[head]]\nconvention = \"" + convention + "\"\ncanary = \"" + canary + "\"\n"
}

// TestFoundWithCanary has any format become the same kind of file: canonical frames, whose CID the genesis names.
func TestFoundWithCanary(t *testing.T) {
	p := newWatchedPlan(t)
	for path, count := range map[string]int{"good.xyz": 40, "good.xyz:2:5": 3, "system": 40} {
		t.Run(path, func(t *testing.T) {
			d, err := p.found(t, section("spc.json", path))
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "fed")
			if err := d.Write(dir); err != nil {
				t.Fatal(err)
			}
			read, g, err := founding.Read(dir)
			if err != nil || !cmp.Equal(read, d) {
				t.Fatalf("changed by writing and reading, %v:\n%s", err, cmp.Diff(d, read))
			}
			watched := 0
			for _, h := range g.Heads {
				if !h.Canary.Defined() {
					continue
				}
				watched++
				text := read.Canaries[h.Key]
				if !ledger.FileCID(text).Equals(h.Canary) {
					t.Errorf("the genesis names %s, the file is %s", h.Canary, ledger.FileCID(text))
				}
				frames, err := founding.DecodeCanary("it", text)
				if err != nil || len(frames) != count {
					t.Fatalf("%d frames, %v; want %d", len(frames), err, count)
				}
				first := p.frames[0]
				if count == 3 {
					first = p.frames[2]
				}
				near := cmpopts.EquateApprox(1e-12, 1e-9)
				if !cmp.Equal(frames[0].Positions, first.Positions, near) || !cmp.Equal(*frames[0].Energy, *first.Energy, near) || !cmp.Equal(frames[0].Forces, first.Forces, near) {
					t.Errorf("the first frame is %+v, want %+v", frames[0], first)
				}
			}
			if watched != 1 {
				t.Errorf("%d heads are watched, want 1", watched)
			}
			file := filepath.Join(dir, "canaries", headKeyOf(t, g)+".xyz")
			if err := os.Truncate(file, 100); err != nil {
				t.Fatal(err)
			}
			if _, _, err := founding.Read(dir); err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("damaged file: %v", err)
			}
		})
	}
}

func headKeyOf(t *testing.T, g *ledger.Genesis) string {
	t.Helper()
	for _, h := range g.Heads {
		if h.Canary.Defined() {
			return h.Key
		}
	}
	t.Fatal("no head is watched")
	return ""
}

func TestRefusedCanaries(t *testing.T) {
	p := newWatchedPlan(t)
	for _, tt := range []struct{ name, sections, want string }{
		{"no such file", section("spc.json", "nowhere.xyz"), "nowhere.xyz"},
		{"no such convention", section("nowhere.json", "good.xyz"), "nowhere.json"},
		{"no convention", "[[head]]\ncanary = \"good.xyz\"\n", "needs both"},
		{"unknown key", section("spc.json", "good.xyz") + "kanary = \"x\"\n", "kanary"},
		{"no forces", section("noforces.json", "good.xyz"), "give frames with both"},
		{"unknown element", section("spc.json", "copper.xyz"), "Cu"},
		{"nobody's convention", section("strange.json", "good.xyz"), "no card names"},
		{"not shared", section("tip.json", "good.xyz"), "stays with its owners"},
		{"twice", section("spc.json", "good.xyz") + section("spc.json", "system"), "has one already"},
		{"an empty range", section("spc.json", "good.xyz:3:3"), "no frames"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := p.found(t, tt.sections); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
	contradicting := append([]dataset.Frame(nil), p.frames...)
	for i := range contradicting {
		contradicting[i].Forces = append([]float64(nil), p.frames[i].Forces...)
		for k := range contradicting[i].Forces {
			contradicting[i].Forces[k] *= -1
		}
	}
	c, err := dataset.ReadConvention(filepath.Join(p.dir, "spc.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := extxyz.WriteFile(filepath.Join(p.dir, "contradicting.xyz"), c, contradicting); err != nil {
		t.Fatal(err)
	}
	if _, err := p.found(t, section("spc.json", "contradicting.xyz")); !errors.Is(err, dataset.ErrInconsistent) {
		t.Errorf("forces of the wrong sign: %v, want ErrInconsistent", err)
	}
}

func TestCanaryFileIsChecked(t *testing.T) {
	for _, text := range []string{"", "3\n", "1\nenergy=x\nO 0 0 0\n", "\x00"} {
		if frames, err := founding.DecodeCanary("it", []byte(text)); err == nil {
			t.Errorf("%q: %d frames", text, len(frames))
		}
	}
	e := 1.0
	atoms := 200_000
	big := dataset.Frame{Energy: &e, Species: make([]string, atoms), Positions: make([]float64, 3*atoms)}
	for i := range atoms {
		big.Species[i] = "O"
		for k := range 3 {
			big.Positions[3*i+k] = math.Sqrt(float64(3*i + k + 2))
		}
	}
	if text, err := founding.EncodeCanary([]dataset.Frame{big, big, big, big, big, big, big}); err == nil || !errorSays(err, "fewer frames") {
		t.Errorf("%d bytes, %v; want advice to name fewer frames", len(text), err)
	}
	if _, err := founding.DecodeCanary("it", nil); !errors.Is(err, load.ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
}

func errorSays(err error, what string) bool { return strings.Contains(err.Error(), what) }
