package testnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/testnet/proc"
	"github.com/fedlam/fedlam/testnet/report"
)

const releaseDir = "release"

// verify downloads the certified weights as a stranger does, stops the nodes, and proves what was downloaded.
func (r *run) verify(ctx context.Context) error {
	source, err := r.source()
	if err != nil {
		return err
	}
	status, release := source.status(), r.cfg.Folder.Path(releaseDir)
	r.console.say(us, "downloading the certified weights %s from %s", status.Weights, source.Name)
	err = r.group.Run(ctx, proc.Command{Name: "pull", Path: r.cfg.Program,
		Args: []string{"pull", status.Weights, "--from", status.PublicAddresses[0], "--out", release}})
	if err != nil {
		return err
	}
	r.traffic()
	r.stop()
	if err := r.release(); err != nil {
		return err
	}
	proof := r.cfg.Folder.Path("verification.json")
	err = r.group.Run(ctx, proc.Command{Name: "verify", Path: r.cfg.Program,
		Args: []string{"verify", release, "--genesis", status.Genesis, "--json", proof}})
	var exit *proc.ExitError
	switch {
	case errors.As(err, &exit) && exit.Code > 0:
		r.report.Verification = report.Verification{Detail: exit.Error()}
	case err != nil:
		return err
	default:
		r.report.Verification.OK = true
	}
	if err := r.readRelease(release); err != nil || !r.cfg.Manifest.RecordInputs {
		return err
	}
	return r.checkSums()
}

// source is a node that everyone may download from.
func (r *run) source() (*node, error) {
	for _, n := range r.nodes {
		if s := n.status(); !n.isGone() && s != nil && len(s.PublicAddresses) > 0 {
			return n, nil
		}
	}
	return nil, errors.New("no node offers its public side")
}

// traffic enters what each node sent and received.
func (r *run) traffic() {
	for _, n := range r.nodes {
		sent, received := n.traffic()
		line := report.Member{Name: n.Name, Head: string(n.key), Sent: sent, Received: received, Fate: fateOf(r.faults(n.Name))}
		if n.certified > 0 {
			line.PerRound = sent / n.certified
		}
		r.report.Members = append(r.report.Members, line)
	}
}

// readRelease enters what the documents of the release say.
func (r *run) readRelease(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, ledger.ProvenanceFile))
	if err != nil {
		return fmt.Errorf("read the release: %w", err)
	}
	var p ledger.Provenance
	if err := json.Unmarshal(text, &p); err != nil {
		return fmt.Errorf("read the release: %w", err)
	}
	r.report.Genesis, r.report.Record, r.report.Certificate, r.report.Weights = p.Genesis, p.Record, p.Certificate, p.Weights
	records, err := r.records()
	if err != nil {
		return err
	}
	r.report.Certified = len(records)
	for _, record := range records {
		if record.Kind == ledger.Void {
			r.report.Void++
		}
	}
	if r.report.Verification.OK {
		r.report.Verification.Detail = fmt.Sprintf("%d certified rounds from the genesis to the last byte, the newest signed by %d of %d members", len(records), len(p.Signed), p.Members)
	}
	return nil
}

// records reads the records of the release, oldest first.
func (r *run) records() ([]*ledger.Round, error) {
	paths, err := filepath.Glob(r.cfg.Folder.Path(releaseDir, "records", "*.cbor"))
	if err != nil {
		return nil, err
	}
	slices.Sort(paths)
	var out []*ledger.Round
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the release: %w", err)
		}
		record, err := ledger.DecodeRound(text)
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", path, err)
		}
		out = append(out, record)
	}
	return out, nil
}
