// Package pull downloads certified weights, with everything that proves them, from the public side of any node.
//
// The artefact may be named by the CID of the weights, of a round record or of a certificate. The node asked tells which rounds lead from
// the genesis to it; all blocks are then fetched by Bitswap and proven by hash, and the whole chain is verified, before the
// first file of the release is written. Whoever answers need not be trusted, but the genesis must be known from somebody who is:
// pass it in Config.Genesis, or compare Result.Genesis.
//
// Blocks wait in the folder .fedlam-pull below the destination until everything is there, so that an interrupted download
// goes on where it stopped.
package pull

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/public"
	"github.com/fedlam/fedlam/proto/peerpb"
	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	partialFolder = ".fedlam-pull"
	maxText       = 16 << 20
	maxWeights    = 4 << 30
)

// Config says what to download.
type Config struct {
	// Artefact is the CID of weights, a round record or a certificate.
	Artefact cid.Cid
	// From are multiaddresses of the public side of nodes, each ending in /p2p/ and the peer id.
	From []string
	// Out is the folder of the release; it must be new, empty, or left by an interrupted download.
	Out string
	// Genesis is the federation expected; undefined accepts any and leaves the comparison to the caller.
	Genesis cid.Cid
	// Random makes the key of this visit.
	Random io.Reader
	// Progress, when set, is told how many bytes of the weights have arrived.
	Progress func(done, total int64)
}

// Result says what was downloaded and found to hold.
type Result struct {
	ledger.Report
	Bytes int64 // of the weights
}

// Run downloads, verifies and writes a release.
func Run(ctx context.Context, cfg Config) (Result, error) {
	r, err := run(ctx, cfg)
	if err != nil {
		return Result{}, fmt.Errorf("pull %s: %w", cfg.Artefact, err)
	}
	return r, nil
}

func run(ctx context.Context, cfg Config) (Result, error) {
	if err := prepare(cfg.Out); err != nil {
		return Result{}, err
	}
	v, err := connect(ctx, cfg)
	if err != nil {
		return Result{}, err
	}
	defer v.Close()
	found, err := public.Find(ctx, v.host, v.server, cfg.Artefact.Bytes())
	if err != nil {
		return Result{}, err
	}
	release, genesis, err := v.collect(ctx, found)
	if err != nil {
		return Result{}, err
	}
	if cfg.Genesis.Defined() && !genesis.Equals(cfg.Genesis) {
		return Result{}, fmt.Errorf("it belongs to the federation %s, not to %s", genesis, cfg.Genesis)
	}
	files, err := release.Files()
	if err != nil {
		return Result{}, err
	}
	report, err := ledger.VerifyFiles(files, genesis)
	if err != nil {
		return Result{}, err
	}
	if a := cfg.Artefact; !a.Equals(report.Weights) && !a.Equals(report.Record) && !a.Equals(report.Certificate) {
		return Result{}, errors.New("the node sent another artefact than the one asked for: ask another node")
	}
	return Result{report, int64(len(release.Weights))}, write(cfg.Out, files)
}

// prepare makes the destination, which must hold nothing but an interrupted download.
func prepare(out string) error {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return disk.Explain(err)
	}
	for _, e := range entries {
		if e.Name() != partialFolder {
			return fmt.Errorf("%q is not empty: choose a new folder", out)
		}
	}
	return disk.Explain(os.MkdirAll(out, 0o755))
}

// visit is a connection to one node's public side.
type visit struct {
	cfg      Config
	host     host.Host
	server   peer.ID
	store    *blocks.Store
	exchange *blocks.Exchange
}

// collect fetches everything that found names.
func (v *visit) collect(ctx context.Context, found *peerpb.FindReply) (*ledger.Release, cid.Cid, error) {
	genesis, err := cid.Cast(found.Genesis)
	if err != nil {
		return nil, cid.Undef, fmt.Errorf("the node names no genesis: %w", err)
	}
	from := v.exchange.Session(ctx)
	text, err := document(ctx, from, found.Genesis)
	if err != nil {
		return nil, cid.Undef, err
	}
	g, err := ledger.DecodeGenesis(text)
	if err != nil {
		return nil, cid.Undef, err
	}
	r := &ledger.Release{Genesis: text, Conventions: map[string][]byte{}}
	small := blocks.FileReader{From: from, Limit: maxText}
	if r.Config, err = small.Read(ctx, g.Config); err != nil {
		return nil, cid.Undef, err
	}
	for _, h := range g.Heads {
		if r.Conventions[h.Key], err = small.Read(ctx, h.Convention); err != nil {
			return nil, cid.Undef, err
		}
	}
	chain := ledger.NewChain(g)
	for _, head := range found.Rounds {
		var f ledger.Finished
		if f.Record, err = document(ctx, from, head.Record); err != nil {
			return nil, cid.Undef, err
		}
		if f.Certificate, err = document(ctx, from, head.Certificate); err != nil {
			return nil, cid.Undef, err
		}
		if len(head.Epoch) > 0 {
			if f.Epoch, err = document(ctx, from, head.Epoch); err != nil {
				return nil, cid.Undef, err
			}
		}
		// Verified as they come, so that a liar costs one block.
		if _, _, err := chain.Append(f); err != nil {
			return nil, cid.Undef, err
		}
		r.Rounds = append(r.Rounds, f)
	}
	large := blocks.FileReader{From: from, Limit: maxWeights, Progress: v.cfg.Progress}
	r.Weights, err = large.Read(ctx, chain.Weights())
	return r, genesis, err
}

// document fetches one DAG-CBOR block.
func document(ctx context.Context, from blocks.Fetcher, binary []byte) ([]byte, error) {
	c, err := cid.Cast(binary)
	if err != nil {
		return nil, fmt.Errorf("the node names a document by something that is no CID: %w", err)
	}
	var text []byte
	err = from.Fetch(ctx, []cid.Cid{c}, func(b blockformat.Block) error {
		text = b.RawData()
		return nil
	})
	if err == nil && !ledger.CIDOf(text).Equals(c) {
		err = errors.New("it is not the block of that name")
	}
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", c, err)
	}
	return text, nil
}

// write stores the files, and then removes what was kept for an interruption.
func write(out string, files map[string][]byte) error {
	for name, text := range files {
		path := filepath.Join(out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return disk.Explain(err)
		}
		if err := disk.WriteFile(path, text, 0o644); err != nil {
			return err
		}
	}
	return disk.Explain(os.RemoveAll(filepath.Join(out, partialFolder)))
}
