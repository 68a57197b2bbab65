package node

import (
	"context"
	"fmt"

	"github.com/fedlam/fedlam/federation"
)

// openStream demands a trainer that can train on while sums are made, where the rules want one.
func (n *Node) openStream() error {
	if !n.genesis.Rules.Streams() {
		return nil
	}
	s, ok := n.trainer.(federation.Streamer)
	if !ok {
		return fmt.Errorf("the federation sums its trunk in %d fragments, and the trainer %T cannot train on meanwhile: give one that is a federation.Streamer", n.genesis.Rules.Fragments, n.trainer)
	}
	n.stream = s
	return nil
}

func (n *Node) localSteps(ctx context.Context, a federation.Train) (federation.Update, error) {
	if n.stream != nil {
		return n.stream.Continue(ctx, a.Weights, a.Steps)
	}
	return n.trainer.Train(ctx, a.Weights, a.Steps)
}

// trainAhead goes on until certified weights come. What goes wrong is told by the next Train.
func (n *Node) trainAhead(a federation.TrainAhead) {
	n.work.add(job{canBeLeft, func(ctx context.Context) {
		if err := n.stream.Ahead(ctx, a.Steps); err != nil && ctx.Err() == nil {
			n.log.Warn("local training failed while sums are made; it begins again from the next certified weights", "error", err)
		}
	}})
}

func (n *Node) takeOver(ctx context.Context, a federation.Install) error {
	if n.stream != nil {
		return n.stream.Merge(ctx, a.Weights, a.Taken)
	}
	return n.trainer.Install(ctx, a.Weights)
}
