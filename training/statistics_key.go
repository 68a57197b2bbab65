package training

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math"
	"runtime"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/training/dpa2"
)

// statisticsKey hashes all that statistics depend on: this algorithm, the cut-offs and exclusions of the model, its presets,
// and of the frames what is looked at. Learning rate, loss, layer widths and labels other than energies are not among it.
// The processor is, since some fuse multiplication and addition.
func (t *Trainer) statisticsKey() (string, error) {
	cfg := t.cfg.Model
	preset, err := presets(cfg)
	if err != nil {
		return "", err
	}
	model, err := json.Marshal(struct {
		Format   string
		Version  int
		Arch     string
		Blocks   []EnvBlock
		TypeMap  []string
		PairSkip [][2]int
		AtomSkip []int
		Preset   []*float64
	}{statisticsFormat, statisticsVersion, runtime.GOARCH, envBlocks(cfg), cfg.TypeMap, cfg.PairSkip, cfg.AtomSkip, preset})
	if err != nil {
		return "", err
	}
	k := frameHash{Hash: sha256.New(), cfg: cfg}
	k.bytes(model)
	for n, h := range t.heads {
		k.bytes([]byte(h.Key))
		for i := range h.Train {
			if err := k.energy(&h.Train[i]); err != nil {
				return "", err
			}
		}
		k.number(math.MaxUint64) // no frame begins like this
		err := t.eachStatFrame(n, k.geometry)
		if err != nil {
			return "", err
		}
		k.number(math.MaxUint64)
	}
	return hex.EncodeToString(k.Sum(nil)), nil
}

// A frameHash takes up frames, each with its lengths first.
type frameHash struct {
	hash.Hash
	cfg *dpa2.Config
	buf []byte // of the frame under way
}

func (k *frameHash) number(n uint64) { k.Write(binary.LittleEndian.AppendUint64(nil, n)) }

func (k *frameHash) bytes(b []byte) {
	k.number(uint64(len(b)))
	k.Write(b)
}

// energy enters what an energy reference depends on.
func (k *frameHash) energy(f *dataset.Frame) error {
	if err := k.types(f); err != nil {
		return err
	}
	if f.Energy != nil {
		k.floats(*f.Energy)
	} else {
		k.floats()
	}
	k.Write(k.buf)
	return nil
}

// geometry enters what the environment matrix depends on.
func (k *frameHash) geometry(f *dataset.Frame) error {
	if err := k.types(f); err != nil {
		return err
	}
	k.floats(f.Positions...)
	if f.Cell != nil {
		k.floats(f.Cell[:]...)
	} else {
		k.floats()
	}
	k.Write(k.buf)
	return nil
}

func (k *frameHash) types(f *dataset.Frame) error {
	types, err := typesOf(k.cfg, f)
	if err != nil {
		return err
	}
	k.buf = binary.LittleEndian.AppendUint64(k.buf[:0], uint64(len(types)))
	for _, t := range types {
		k.buf = binary.LittleEndian.AppendUint32(k.buf, uint32(t))
	}
	return nil
}

func (k *frameHash) floats(v ...float64) {
	k.buf = binary.LittleEndian.AppendUint64(k.buf, uint64(len(v)))
	for _, x := range v {
		k.buf = binary.LittleEndian.AppendUint64(k.buf, math.Float64bits(x))
	}
}
