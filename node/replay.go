package node

import (
	"context"
	"fmt"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node/home"
	"github.com/ipfs/go-cid"
)

// ReplayConfig says where the parts of a finished round are. What Home lacks, or is locked by a running node, the other fields name.
type ReplayConfig struct {
	// Home is the folder of a node that kept the round's transcript; nil for none.
	Home *home.Home
	// Round is the number of the round.
	Round uint64
	// Transcript is a file; default: the one in Home.
	Transcript string
	// Release is a folder that `fedlam pull` made, of this round or a later one, from which genesis and certified rounds are taken;
	// default: the log in Home. Genesis is the CID that it must have, if defined.
	Release string
	Genesis cid.Cid
	// Weights and State are the files that the round started from; default: from the block store in Home.
	Weights, State string
	// Applier recomputes the setup round; default: by the model configuration in Home or Release.
	Applier federation.Applier
	// Progress is told how far a sum is.
	Progress func(what string, done, total int)
}

// Replay gathers what a finished round was made of and verifies it, offline. Errors say what is missing; what is wrong with the round
// stands in the report.
func Replay(ctx context.Context, cfg ReplayConfig) (*federation.ReplayReport, error) {
	g := &gatherer{cfg: cfg, ctx: ctx}
	report, err := g.run()
	if err != nil {
		return nil, fmt.Errorf("replay round %d: %w", cfg.Round, err)
	}
	return report, nil
}
