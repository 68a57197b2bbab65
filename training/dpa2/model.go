package dpa2

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/fedlam/fedlam/training/weights"
)

// A Model is an architecture with its numbers. Params holds exactly the tensors that Config describes, under their
// DeePMD tree paths, statistics and energy references included. Head is the key of the head to use in a Set with
// several heads: then tensors of the head carry the prefix "heads/<key>/" (see Config.Path). Head is "" for a Set
// with one head, as files have it.
type Model struct {
	Config *Config
	Params *weights.Set
	Head   string
}

// New makes a model with fresh weights: the distributions of DeePMD-kit's PyTorch backend (SPEC 2.4). Each tensor
// has a random stream of its own, made from seed and its path, so that equal seeds give equal numbers everywhere and
// a tensor does not change when another one is added. Statistics start as davg = 0, dstd = 1, references as 0.
func New(cfg *Config, seed uint64) (*Model, error) {
	return NewHead(cfg, "", seed)
}

// NewHead is New for a Set with several heads. The trunk does not depend on head, so that heads made from the same
// seed share it; add the tensors of further heads to one Set.
func NewHead(cfg *Config, head string, seed uint64) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if err := cfg.resolved(); err != nil {
		return nil, err
	}
	m := &Model{Config: cfg, Params: &weights.Set{}, Head: head}
	for _, p := range cfg.params() {
		name := HeadPath(head, p.path)
		m.Params.Put(weights.Tensor{Name: name, Shape: p.shape, Data: p.fresh(seed, name)})
	}
	return m, nil
}

// HeadPath returns the name a tensor of the DeePMD tree has in a Set with several heads: what belongs to the head
// ("fitting/..." and "@variables/...") gets the prefix "heads/<head>/". With head "" the path is returned as it is.
func HeadPath(head, path string) string {
	if head == "" || strings.HasPrefix(path, "descriptor/") {
		return path
	}
	return "heads/" + head + "/" + path
}

// Names returns the names, under the given head, of all tensors a model of this configuration has.
func (c *Config) Names(head string) []string {
	var names []string
	for _, p := range c.params() {
		names = append(names, HeadPath(head, p.path))
	}
	return names
}

// Check says whether Params holds every tensor of the configuration in the right shape, finite, with statistics
// that do not differ between slots. Other tensors may be there too: those of other heads.
func (m *Model) Check() error {
	if err := m.Config.Validate(); err != nil {
		return err
	}
	if err := m.Config.resolved(); err != nil {
		return err
	}
	for _, p := range m.Config.params() {
		t, ok := m.Params.Get(HeadPath(m.Head, p.path))
		if !ok {
			return fmt.Errorf("model: tensor %q is missing", HeadPath(m.Head, p.path))
		}
		if !slices.Equal(t.Shape, p.shape) {
			return fmt.Errorf("model: tensor %q has shape %v; the configuration asks for %v", t.Name, t.Shape, p.shape)
		}
		for k, v := range t.Data {
			if !finite(v) {
				return fmt.Errorf("model: tensor %q: entry %d is NaN or infinite", t.Name, k)
			}
		}
		if err := checkStat(p, t); err != nil {
			return err
		}
	}
	return nil
}

// tensor returns the numbers of a tensor of the tree; Check has seen that it exists.
func (m *Model) tensor(path string) []float64 {
	t, _ := m.Params.Get(HeadPath(m.Head, path))
	return t.Data
}

// isBuffer says whether a tensor is set by statistics and never by gradients.
func isBuffer(path string) bool {
	switch base := path[strings.LastIndexByte(path, '/')+1:]; base {
	case "out_bias", "out_std", "davg", "dstd", "bias_atom_e", "case_embd", "fparam_avg", "fparam_inv_std", "aparam_avg", "aparam_inv_std":
		return true
	}
	return false
}

// checkStat refuses statistics outside of what DeePMD makes: one mean for the radial part, none for the angular,
// one scale for each, equal in all slots.
func checkStat(p paramSpec, t *weights.Tensor) error {
	davg, dstd := strings.HasSuffix(p.path, "/davg"), strings.HasSuffix(p.path, "/dstd")
	if !davg && !dstd {
		return nil
	}
	slots := p.shape[1]
	for typ := range p.shape[0] {
		rows := t.Data[typ*slots*4 : (typ+1)*slots*4]
		for k, v := range rows {
			if v != rows[k%4] {
				return fmt.Errorf("model: %q differs between neighbour slots of type %d; only statistics that are equal in all slots are supported", t.Name, typ)
			}
			if dstd && v <= 0 {
				return fmt.Errorf("model: %q holds a scale that is not positive", t.Name)
			}
		}
		if rows[1] != rows[2] || rows[1] != rows[3] || davg && rows[1] != 0 {
			return fmt.Errorf("model: %q is not rotationally invariant for type %d", t.Name, typ)
		}
	}
	return nil
}

// fresh draws the starting values of a tensor.
func (p paramSpec) fresh(seed uint64, name string) []float64 {
	hash := sha256.New()
	_ = binary.Write(hash, binary.LittleEndian, seed)
	hash.Write([]byte(name))
	sum := hash.Sum(nil)
	rng := rand.New(rand.NewPCG(binary.LittleEndian.Uint64(sum), binary.LittleEndian.Uint64(sum[8:])))
	data := make([]float64, product(p.shape))
	for k := range data {
		switch p.init {
		case initOne:
			data[k] = 1
		case initConst:
			data[k] = p.scale
		case initNormal:
			data[k] = p.scale * rng.NormFloat64()
		case initStep:
			data[k] = 0.1 + 0.001*rng.NormFloat64()
		case initGlorot:
			data[k] = p.scale * (2*rng.Float64() - 1)
		}
	}
	return data
}
