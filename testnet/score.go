package testnet

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/testnet/proc"
	"github.com/fedlam/fedlam/testnet/report"
)

// testOutput is what `fedlam test --json` writes.
type testOutput struct {
	Version int    `json:"version"`
	Head    string `json:"head"`
	Frames  int    `json:"frames"`
	Energy  score  `json:"energy"`
	Force   score  `json:"force"`
}

type score struct {
	N    int     `json:"n"`
	RMSE float64 `json:"rmse"`
}

// test evaluates a model on the member's validation frames, in a process of its own.
func (r *run) test(ctx context.Context, p *member, model, name string) (report.Errors, error) {
	dir, err := r.cfg.Folder.makeDir("scores")
	if err != nil {
		return report.Errors{}, err
	}
	path := fmt.Sprintf("%s/%s.json", dir, name)
	args := append([]string{"test", model, p.validation, "--head", string(p.key), "--convention", p.Convention, "--json", path}, r.threads()...)
	if err := r.group.Run(ctx, proc.Command{Name: name, Path: r.cfg.Program, Env: r.env(), Args: args}); err != nil {
		return report.Errors{}, err
	}
	return readTest(path, p.held)
}

func readTest(path string, frames int) (none report.Errors, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return none, err
	}
	var out testOutput
	if err := json.Unmarshal(text, &out); err != nil {
		return none, fmt.Errorf("read %q: %w", path, err)
	}
	if out.Version != 1 || out.Frames != frames {
		return none, fmt.Errorf("read %q: version %d with %d frames, want version 1 with %d", path, out.Version, out.Frames, frames)
	}
	return report.Errors{Energy: out.Energy.RMSE, Force: out.Force.RMSE, Energies: out.Energy.N, Forces: out.Force.N}, nil
}

// score evaluates what the federation made on every member's validation frames: the certified weights, or the member's
// own state where its head is not shared.
func (r *run) score(ctx context.Context) error {
	g, err := r.genesis()
	if err != nil {
		return err
	}
	shared := g.Epoch().Shared()
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(r.cfg.Manifest.BaselineSlots)
	for i, n := range r.nodes {
		line := &r.report.Members[i]
		line.Scores = n.scores()
		if n.isGone() {
			continue
		}
		model := r.cfg.Folder.Path(releaseDir)
		if !slices.Contains(shared, string(n.key)) {
			model = filepath.Join(n.dir, "data", "local", "state")
		}
		all.Go(func() (err error) {
			if line.Federation, err = r.test(ctx, n.member, model, n.Name+"-federation"); err != nil {
				return fmt.Errorf("%s: %w", n.Name, err)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	for _, h := range g.Heads {
		head := report.Head{Key: h.Key, Shared: slices.Contains(shared, h.Key)}
		var scores []report.Scores
		for i, m := range r.report.Members {
			if m.Head == h.Key {
				head.Name = r.members[i].title // the genesis has it in lower case
				head.Members = append(head.Members, m.Name)
				scores = append(scores, m.Scores)
			}
		}
		head.Scores = report.Pool(scores)
		r.report.Heads = append(r.report.Heads, head)
	}
	return nil
}

func (r *run) genesis() (*ledger.Genesis, error) {
	text, err := os.ReadFile(r.cfg.Folder.Path(releaseDir, ledger.GenesisFile))
	if err != nil {
		return nil, fmt.Errorf("read the release: %w", err)
	}
	return ledger.DecodeGenesis(text)
}
