package testnet

import (
	"bytes"
	"crypto/rand"
	"path/filepath"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/weights"
)

// TestSameStart: the comparison with local-only training is fair only if both begin with the same weights. Those of a
// federation are rounded to float32.
func TestSameStart(t *testing.T) {
	m := demoManifest(t)
	f, err := Claim(filepath.Join(t.TempDir(), "run"))
	if err != nil {
		t.Fatal(err)
	}
	members, err := openMembers(m, f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := m.PlanText()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := founding.ParsePlan(text)
	if err != nil {
		t.Fatal(err)
	}
	var cards []home.Card
	for _, p := range members {
		h, err := home.Create(f.Path("nodes", p.Name), home.Config{Name: p.Name, Listen: loopback(4101), Data: []home.Data{{Path: p.Data, Convention: p.Convention}}}, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		card, err := h.Card()
		if err != nil {
			t.Fatal(err)
		}
		cards = append(cards, card)
	}
	documents, err := founding.Found(plan, cards, time.Unix(1_700_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	together, _, err := weights.ReadSafetensors(bytes.NewReader(documents.Weights), 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	p := members[0]
	trainer, err := training.New(training.Config{Model: m.ModelConfig(), Schedule: *m.LearningRate, Steps: m.Steps(), Seed: m.Seed},
		[]training.Head{{Key: string(p.key), Train: p.train}})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, alone := range trainer.Weights().Tensors() {
		shared, ok := together.Get(alone.Name)
		if !ok {
			t.Errorf("the founding documents lack %s", alone.Name)
			continue
		}
		for k, v := range alone.Data {
			if shared.Data[k] != float64(float32(v)) {
				t.Fatalf("%s begins with %g in the federation and with %g alone", alone.Name, shared.Data[k], v)
			}
			compared++
		}
	}
	if compared < 1000 {
		t.Errorf("only %d numbers were compared", compared)
	}
}
