package founding

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crypto/sha256"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/dpa2"
	"github.com/fedlam/fedlam/training/weights"
)

// Documents are the genesis and what it names.
type Documents struct {
	Genesis     []byte
	Config      []byte
	Weights     []byte
	Conventions map[string][]byte // by head key
	Canaries    map[string][]byte // by head key, of the heads that have one; see EncodeCanary
}

// Found makes a federation of the members whose cards are given, in that order.
func Found(p *Plan, cards []home.Card, now time.Time) (*Documents, error) {
	d, err := found(p, cards, now)
	if err != nil {
		return nil, fmt.Errorf("found the federation %q: %w", p.Name, err)
	}
	return d, nil
}

func found(p *Plan, cards []home.Card, now time.Time) (*Documents, error) {
	g := &ledger.Genesis{Name: p.Name, Created: uint64(now.Unix())}
	var err error
	if g.Rules, err = p.rules(); err != nil {
		return nil, err
	}
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	g.Elements = model.TypeMap
	d := &Documents{Conventions: map[string][]byte{}, Canaries: map[string][]byte{}}
	if err := d.enter(g, cards); err != nil {
		return nil, err
	}
	shared := (&ledger.Epoch{Members: g.Members, Heads: g.Heads, Rules: g.Rules}).Shared()
	if err := d.watch(g, p, model, shared); err != nil {
		return nil, err
	}
	if d.Config, err = p.config(g, model, shared); err != nil {
		return nil, err
	}
	if d.Weights, err = initialWeights(model, p.Seed, shared); err != nil {
		return nil, err
	}
	g.Config, g.Weights = ledger.FileCID(d.Config), ledger.FileCID(d.Weights)
	if err := g.Validate(); err != nil {
		return nil, err
	}
	d.Genesis = g.Encode()
	return d, nil
}

// enter lists members and heads.
func (d *Documents) enter(g *ledger.Genesis, cards []home.Card) error {
	heads := map[string]ledger.Head{}
	names := map[string]bool{}
	for _, c := range cards {
		if names[c.Name] {
			return fmt.Errorf("the name %q occurs twice: members are told apart by name when they change; let one choose another", c.Name)
		}
		names[c.Name] = true
		m := ledger.Member{Name: c.Name, Peer: c.Peer, Addresses: c.Addresses}
		id, err := hex.DecodeString(c.Member)
		if err != nil || len(id) != len(m.ID) {
			return fmt.Errorf("card of %q: member is not the hex of a 32-byte key", c.Name)
		}
		copy(m.ID[:], id)
		if len(c.Conventions) == 0 {
			return fmt.Errorf("card of %q names no label convention: its owner adds a [[data]] section to node.toml and prints a new card", c.Name)
		}
		for _, text := range c.Conventions {
			h, err := headOf(text)
			if err != nil {
				return fmt.Errorf("card of %q: %w", c.Name, err)
			}
			heads[h.Key], d.Conventions[h.Key] = h, text
			m.Heads = append(m.Heads, h.Key)
		}
		slices.Sort(m.Heads)
		g.Members = append(g.Members, m)
	}
	g.Heads = slices.SortedFunc(maps.Values(heads), func(a, b ledger.Head) int { return cmp.Compare(a.Key, b.Key) })
	return nil
}

// headOf makes a head from the class A fields of a convention, as canonical JSON: its key is their hash.
func headOf(identity []byte) (ledger.Head, error) {
	var fields struct {
		Method struct {
			Name string `json:"name"`
		} `json:"method"`
	}
	if err := json.Unmarshal(identity, &fields); err != nil {
		return ledger.Head{}, fmt.Errorf("convention: %w", err)
	}
	if fields.Method.Name == "" || len(fields.Method.Name) > 200 {
		return ledger.Head{}, errors.New("convention: method.name must have 1 to 200 bytes")
	}
	sum := sha256.Sum256(identity)
	return ledger.Head{Key: hex.EncodeToString(sum[:])[:12], Name: fields.Method.Name, Convention: ledger.FileCID(identity)}, nil
}

func (p *Plan) config(g *ledger.Genesis, model *dpa2.Config, shared []string) ([]byte, error) {
	loss, err := training.Section(p.Loss, dpa2.ParseLoss)
	if err != nil {
		return nil, err
	}
	c := &ModelConfig{Description: training.Description{Format: "fedlam-model", Version: 1, Model: model, Heads: []training.HeadInfo{}},
		Training: Recipe{Loss: loss, LearningRate: *p.LearningRate, Optimizer: p.Optimizer, Rounds: p.Rounds, Seed: p.Seed,
			BatchSize: p.Training.BatchSize, Precision: dpa2.Precision(p.Training.Precision)}}
	if p.Training.MaxNorm > 0 {
		c.Training.Optimizer.MaxNorm = p.Training.MaxNorm
	}
	for _, h := range g.Heads {
		if slices.Contains(shared, h.Key) {
			c.Heads = append(c.Heads, training.HeadInfo{Key: h.Key, Name: h.Name})
		}
	}
	return c.Encode()
}

// initialWeights draws trunk and shared heads.
func initialWeights(model *dpa2.Config, seed uint64, shared []string) ([]byte, error) {
	set := &weights.Set{}
	for _, key := range append([]string{"none"}, shared...) {
		m, err := dpa2.NewHead(model, key, seed)
		if err != nil {
			return nil, err
		}
		for _, t := range m.Params.Tensors() {
			if key != "none" || strings.HasPrefix(t.Name, "descriptor/") {
				set.Put(*t)
			}
		}
	}
	var b bytes.Buffer
	if err := weights.WriteSafetensors(&b, set, weights.F32, map[string]string{"format": "fedlam"}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
