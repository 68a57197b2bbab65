package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/ipfs/go-cid"

	"github.com/fedlam/fedlam/node/pull"
)

type pullCmd struct {
	CID     string   `arg:"" name:"cid" help:"CID of certified weights, of a round record or of a certificate."`
	From    []string `required:"" sep:"none" placeholder:"MULTIADDR" help:"Address of the public side of a node, with /p2p/ and its id. May be repeated."`
	Out     string   `required:"" placeholder:"DIR" help:"Folder for the release; it is created. An interrupted download goes on there."`
	Genesis string   `placeholder:"CID" help:"Refuse another federation than this."`
	JSON    string   `name:"json" placeholder:"F" help:"Write the outcome to this file as JSON, in the layout of fedlam verify; - for standard output."`
}

// Help is shown by `fedlam pull --help`.
func (pullCmd) Help() string {
	return `Downloads certified weights with everything that proves them, from any node whose public side is on. Every block is checked by
its hash and the whole chain of certificates before anything is written, so the node asked need not be trusted: only the genesis
CID must come from somebody who is. The folder is a release: fedlam verify checks it offline, fedlam eval and fedlam test use it.

Example:
  fedlam pull bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi \
    --from /ip4/192.0.2.7/udp/4102/quic-v1/p2p/12D3KooWPkqXrTjPn4yd9EvEzp82eKRm6bEgi1UxetH2aMBx3Rjz --out release
  fedlam verify release --genesis bafyreif4jkwjnznm6ttjidmgxnlzqqvfecfcnyy3ppqkmyzmvkzv6rctci`
}

func (c *pullCmd) Run(ctx context.Context) error {
	artefact, err := parseCID(c.CID)
	if err != nil {
		return err
	}
	cfg := pull.Config{Artefact: artefact, From: c.From, Out: c.Out, Random: rand.Reader, Progress: progressLine(os.Stderr)}
	if c.Genesis != "" {
		if cfg.Genesis, err = parseCID(c.Genesis); err != nil {
			return err
		}
	}
	result, err := pull.Run(ctx, cfg)
	if err != nil {
		return err
	}
	if c.JSON != "" {
		if err := writeTo(c.JSON, func(w io.Writer) error { return json.NewEncoder(w).Encode(outcome(result.Report)) }); err != nil || c.JSON == "-" {
			return err
		}
	}
	printReport(result.Report)
	if cfg.Genesis == cid.Undef {
		fmt.Printf("compare the genesis CID with that of somebody you trust; then fedlam verify %s --genesis %s repeats this check offline\n", c.Out, result.Genesis)
	}
	return nil
}

// progressLine tells on w, at every tenth, how far a download is.
func progressLine(w io.Writer) func(done, total int64) {
	told := int64(0)
	return func(done, total int64) {
		if tenth := 10 * done / max(total, 1); tenth > told {
			told = tenth
			fmt.Fprintf(w, "%3d %% of %.1f MiB\n", 10*tenth, float64(total)/(1<<20))
		}
	}
}
