package founding

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/fedlam/fedlam/dataset/load"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/training/dpa2"
)

// MaxCanary bounds the file of a canary set, in bytes: every member keeps it and evaluates all its frames in every round.
const MaxCanary = 64 << 20

// watch reads the canary sets of a plan and names them in the genesis.
func (d *Documents) watch(g *ledger.Genesis, p *Plan, model *dpa2.Config, shared []string) error {
	for _, h := range p.Heads {
		key, frames, err := h.read(p.dir, model)
		if err != nil {
			return fmt.Errorf("canary set %q: %w", h.Canary, err)
		}
		k := slices.IndexFunc(g.Heads, func(x ledger.Head) bool { return x.Key == key })
		switch {
		case k < 0:
			return fmt.Errorf("canary set %q: no card names the convention %q (head %s): compare its class A fields with those of the members", h.Canary, h.Convention, key)
		case !slices.Contains(shared, key):
			return fmt.Errorf("canary set %q: head %s has fewer than min_group members and stays with its owners: leave the [[head]] section out", h.Canary, key)
		case g.Heads[k].Canary.Defined():
			return fmt.Errorf("canary set %q: head %s has one already; put all frames into one set", h.Canary, key)
		}
		if d.Canaries[key], err = EncodeCanary(frames); err != nil {
			return fmt.Errorf("canary set %q: %w", h.Canary, err)
		}
		g.Heads[k].Canary = ledger.FileCID(d.Canaries[key])
	}
	return nil
}

// read returns the frames of a canary set that a model can be tried on.
func (h *PlanHead) read(dir string, model *dpa2.Config) (string, []dataset.Frame, error) {
	convention, err := dataset.ReadConvention(under(dir, h.Convention))
	if err != nil {
		return "", nil, err
	}
	key, err := convention.Key()
	if err != nil {
		return "", nil, fmt.Errorf("convention %q: %w", h.Convention, err)
	}
	frames, err := load.OpenWith(under(dir, h.Canary), convention, load.Options{TypeMap: model.TypeMap})
	if err != nil {
		return "", nil, err
	}
	for i := range frames {
		if _, err := dpa2.NewSample(model, &frames[i]); err != nil {
			return "", nil, fmt.Errorf("%s: %w", frames[i].Name(), err)
		}
	}
	report := dataset.Audit(frames)
	if err := report.Err(); err != nil {
		return "", nil, fmt.Errorf("audit under convention %q: %w", h.Convention, err)
	}
	if report.WithEnergy == 0 || report.WithForces == 0 {
		return "", nil, fmt.Errorf("of %d frames %d have an energy and %d have forces under convention %q: errors of both are watched, so give frames with both",
			report.Frames, report.WithEnergy, report.WithForces, h.Convention)
	}
	return string(key), frames, nil
}

func under(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// EncodeCanary writes the file of a canary set: extended XYZ in canonical units, so that no more than the file is needed to use it.
func EncodeCanary(frames []dataset.Frame) ([]byte, error) {
	var b bytes.Buffer
	if err := extxyz.Write(&b, nil, frames); err != nil {
		return nil, err
	}
	if b.Len() > MaxCanary {
		return nil, fmt.Errorf("%d frames take %d bytes, at most %d: name fewer frames, for instance as %q", len(frames), b.Len(), MaxCanary, "file.xyz:0:100")
	}
	return b.Bytes(), nil
}

// DecodeCanary reads a file that EncodeCanary wrote. Name says in errors which one.
func DecodeCanary(name string, text []byte) (frames []dataset.Frame, err error) {
	for r := extxyz.NewReader(bytes.NewReader(text), name, nil); ; {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("canary set: %w", err)
		}
		frames = append(frames, f)
	}
	if len(frames) == 0 {
		return nil, fmt.Errorf("canary set %s: %w", name, load.ErrEmpty)
	}
	return frames, nil
}
