package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/founding"
)

// readCanaries reads the canary sets of shared heads from the block store, where joining has put them.
func (n *Node) readCanaries(ctx context.Context) (map[string][]dataset.Frame, error) {
	sets := map[string][]dataset.Frame{}
	shared := n.genesis.Epoch().Shared() // which no later epoch changes
	for _, h := range n.genesis.Heads {
		if !h.Canary.Defined() || !slices.Contains(shared, h.Key) {
			continue
		}
		text, err := blocks.FileReader{From: n.store, Limit: founding.MaxCanary}.Read(ctx, h.Canary)
		if err != nil {
			return nil, fmt.Errorf("the canary set of head %s is not in the folder: run `fedlam join` again with the founding folder: %w", h.Key, err)
		}
		if sets[h.Key], err = founding.DecodeCanary(ledger.CanaryFile(h.Key), text); err != nil {
			return nil, fmt.Errorf("%w: the genesis names a file that nobody can use; tell who started the federation", err)
		}
	}
	return sets, nil
}

// judge tries weights on the canary sets. Training that is still running ends: the round has its sum. The answer is of use also when the
// round is over by then, so nothing replaces the job.
func (n *Node) judge(a federation.Judge) {
	n.work.add(job{mustRun, func(ctx context.Context) {
		errors, err := n.trainer.Judge(ctx, a.Weights)
		if ctx.Err() != nil {
			return
		}
		e := federation.Judged{Round: a.Round, Record: a.Record, Errors: errors}
		if err != nil {
			n.log.Error("the canary sets cannot be evaluated", "round", a.Round, "error", err)
			e.Failure = "the log says why"
		}
		n.mail.post(e)
	}})
}
