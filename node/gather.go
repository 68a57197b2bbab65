package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/silo"
	"github.com/fedlam/fedlam/node/transcript"
	"github.com/fedlam/fedlam/node/wal"
	"github.com/ipfs/go-cid"
)

// maxReplayFile bounds weights and optimizer states that are read, in bytes.
const maxReplayFile = 4 << 30

// A gatherer collects what federation.Replay wants.
type gatherer struct {
	cfg    ReplayConfig
	ctx    context.Context
	store  *blocks.Store // nil without a home
	config []byte        // of the model, from a release
	out    federation.ReplayConfig
}

func (g *gatherer) run() (*federation.ReplayReport, error) {
	if g.cfg.Home != nil {
		var err error
		if g.store, err = OpenStore(g.cfg.Home); err != nil {
			return nil, err
		}
	}
	g.out.Applier, g.out.Progress = g.cfg.Applier, g.cfg.Progress
	for _, step := range []func() error{g.rounds, g.transcript, g.files, g.model} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return federation.Replay(g.ctx, g.out)
}

// rounds reads genesis and certified rounds.
func (g *gatherer) rounds() error {
	switch {
	case g.cfg.Release != "":
		return g.fromRelease()
	case g.cfg.Home == nil:
		return errors.New("say where the certified rounds are: --home or --release")
	}
	text, err := g.cfg.Home.Genesis()
	if err != nil {
		return err
	}
	if g.out.Genesis, err = ledger.DecodeGenesis(text); err != nil {
		return fmt.Errorf("read the genesis of %q: %w", g.cfg.Home.Dir, err)
	}
	if err := g.wanted(text); err != nil {
		return err
	}
	path, err := g.cfg.Home.Data("log.db")
	if err != nil {
		return err
	}
	owner := g.cfg.Home.Signing.Public().(ed25519.PublicKey)
	log, err := wal.OpenReadOnly(wal.Config{Path: path, Owner: slices.Concat([]byte(owner), ledger.CIDOf(text).Bytes())})
	if errors.Is(err, wal.ErrBusy) {
		return fmt.Errorf("the node in %q is running and has its log to itself: stop it (`fedlam status %s --stop`), or pull a release and name it with --release", g.cfg.Home.Dir, g.cfg.Home.Dir)
	}
	if err != nil {
		return err
	}
	return errors.Join(g.fromLog(log), log.Close())
}

// wanted compares a genesis with the one that the caller trusts.
func (g *gatherer) wanted(genesis []byte) error {
	if got := ledger.CIDOf(genesis); g.cfg.Genesis.Defined() && !got.Equals(g.cfg.Genesis) {
		return fmt.Errorf("the genesis is %s, want %s: these are files of another federation", got, g.cfg.Genesis)
	}
	return nil
}

func (g *gatherer) fromLog(log *wal.Log) error {
	for k := uint64(0); k <= g.cfg.Round; k++ {
		record, err := log.Get(federation.RecordKey(k))
		if err != nil {
			return err
		}
		certificate, err := log.Get(federation.CertificateKey(k))
		if err != nil {
			return err
		}
		if record == nil || certificate == nil {
			return fmt.Errorf("it is not certified: %d rounds are", k)
		}
		epoch, err := log.Get(federation.EpochKey(k))
		if err != nil {
			return err
		}
		g.out.Rounds = append(g.out.Rounds, ledger.Finished{Record: record, Certificate: certificate, Epoch: epoch})
	}
	return nil
}

// fromRelease reads what a release says about the rounds. Its weights are those of its newest round and not looked at.
func (g *gatherer) fromRelease() error {
	read := func(name string, limit int64) ([]byte, error) {
		return readBounded(filepath.Join(g.cfg.Release, filepath.FromSlash(name)), limit)
	}
	text, err := read(ledger.GenesisFile, maxConfig)
	if err != nil {
		return err
	}
	if g.out.Genesis, err = ledger.DecodeGenesis(text); err != nil {
		return err
	}
	if err := g.wanted(text); err != nil {
		return err
	}
	ended := uint64(0) // epochs
	for k := uint64(0); k <= g.cfg.Round; k++ {
		record, err := read(ledger.RecordFile(k), ledger.MaxRecord)
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the release ends before it, with %d rounds: pull a newer one", k)
		}
		if err != nil {
			return err
		}
		certificate, err := read(ledger.CertificateFile(k), ledger.MaxCertificate)
		if err != nil {
			return err
		}
		var epoch []byte
		if r, err := ledger.DecodeRound(record); err == nil && r.Kind == ledger.Change {
			ended++
			if epoch, err = read(ledger.NextEpochFile(ended), ledger.MaxEpoch); err != nil {
				return err
			}
		}
		g.out.Rounds = append(g.out.Rounds, ledger.Finished{Record: record, Certificate: certificate, Epoch: epoch})
	}
	if config, err := read(ledger.ConfigFile, maxConfig); err == nil && ledger.FileCID(config).Equals(g.out.Genesis.Config) {
		g.config = config
	}
	return nil
}

func (g *gatherer) transcript() error {
	path := g.cfg.Transcript
	if path == "" {
		if g.cfg.Home == nil {
			return errors.New("say where the transcript is: --home or --transcript")
		}
		folder, err := Transcripts(g.cfg.Home)
		if err != nil {
			return err
		}
		path = folder.Path(g.cfg.Round)
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("this node kept no transcript of it: %s", keptText(folder))
		}
	}
	t, err := transcript.ReadFile(path)
	if err != nil {
		return err
	}
	if genesis := g.out.Genesis.Epoch().Genesis; !t.Genesis.Equals(genesis) || t.Round != g.cfg.Round {
		return fmt.Errorf("transcript %q is of round %d of federation %s, want round %d of %s", path, t.Round, t.Genesis, g.cfg.Round, genesis)
	}
	g.out.Envelopes = t.Envelopes
	return nil
}

// keptText says what a node kept instead.
func keptText(f transcript.Folder) string {
	list, err := f.List()
	if err != nil || len(list) == 0 {
		return "it keeps those of future rounds with `keep = 2` under [transcripts] in node.toml"
	}
	return fmt.Sprintf("it has those of rounds %d to %d; raise keep under [transcripts] in node.toml for more", list[0].Round, list[len(list)-1].Round)
}

// files reads weights and optimizer state that the round started from.
func (g *gatherer) files() error {
	record, err := ledger.DecodeRound(g.out.Rounds[g.cfg.Round].Record)
	if err != nil {
		return err
	}
	state := ledger.NoState()
	if g.cfg.Round > 0 {
		before, err := ledger.DecodeRound(g.out.Rounds[g.cfg.Round-1].Record)
		if err != nil {
			return err
		}
		state = before.StateOut
	}
	if g.out.Weights, err = g.file("weights", record.WeightsIn, g.cfg.Weights); err != nil {
		return err
	}
	if state.Equals(ledger.NoState()) && g.cfg.State == "" {
		return nil
	}
	g.out.State, err = g.file("state", state, g.cfg.State)
	return err
}

func (g *gatherer) file(name string, c cid.Cid, path string) ([]byte, error) {
	if path != "" {
		return readBounded(path, maxReplayFile)
	}
	if g.store == nil {
		return nil, fmt.Errorf("say where the file %s is that the round started from: --home or --%s", c, name)
	}
	data, err := blocks.FileReader{From: g.store, Limit: maxReplayFile}.Read(g.ctx, c)
	if err != nil {
		return nil, fmt.Errorf("the %s that the round started from are not in the folder of the node, which may have been away when they were new: name them with --%s: %w", name, name, err)
	}
	return data, nil
}

// model finds out how the setup round applies its totals. Without a configuration that can be used that stays unchecked.
func (g *gatherer) model() error {
	if g.out.Applier != nil {
		return nil
	}
	text := g.config
	if text == nil && g.store != nil {
		text, _ = blocks.FileReader{From: g.store, Limit: maxConfig}.Read(g.ctx, g.out.Genesis.Config)
	}
	if config, err := founding.DecodeModelConfig(text); err == nil {
		g.out.Applier = silo.Applier{Model: config.Model}
	}
	return g.ctx.Err()
}

// readBounded reads a file of at most that many bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, disk.Explain(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, disk.Explain(err))
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("read %q: it has more than %d bytes", path, limit)
	}
	return data, nil
}
