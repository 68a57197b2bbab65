package federation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
)

// An Applier is the part of a Trainer that needs no data: what the setup round does with its totals.
type Applier interface {
	// Lengths returns how many numbers the trunk and each head have in SetupSums.
	Lengths() (trunk, head int)
	// Apply is that of Trainer.
	Apply(ctx context.Context, w *weights.Set, totals SetupTotals) (*weights.Set, error)
}

// ReplayConfig is what Replay works from. Nothing in it is trusted but the genesis.
type ReplayConfig struct {
	Genesis *ledger.Genesis
	// Rounds are the certified rounds from round 0 up to and including the one that is replayed.
	Rounds []Finished
	// Weights and State are the files that the round started from; State is empty before the setup round.
	Weights, State []byte
	// Envelopes are the transcript, see Archive.
	Envelopes [][]byte
	// Applier recomputes what a setup round does with its totals; nil leaves that unchecked.
	Applier Applier
	// Progress, when set, is told how many parts of a sum are done.
	Progress func(what string, done, total int)
}

// Replay verifies a certified round from public messages alone, as a spectator without any key: signatures, the exchange of keys
// and shares, masked inputs against their roots, statements, opened shares against the leaves that were published, the sums,
// the outer step, the record, and the votes that are its certificate. The report says what was found, in the order of the
// protocol; errors are about what cannot be replayed at all, and ctx.
func Replay(ctx context.Context, cfg ReplayConfig) (*ReplayReport, error) {
	if cfg.Genesis == nil || len(cfg.Rounds) == 0 {
		return nil, errors.New("replay: a genesis and the certified rounds are needed")
	}
	if err := cfg.Genesis.Validate(); err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	r := &replay{cfg: cfg, ctx: ctx, report: &ReplayReport{Version: 1, Checks: []ReplayCheck{}, Story: []string{}, Members: []ReplayMember{}}}
	for _, step := range []func() bool{r.certified, r.files, r.envelopes, r.interpret, r.outcome, r.votes} {
		if !step() {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	r.tell()
	r.report.finish()
	return r.report, ctx.Err()
}

// A replay is a Replay under way.
type replay struct {
	cfg    ReplayConfig
	ctx    context.Context
	report *ReplayReport
	m      *Machine // of a spectator: it is fed messages and never asked to act
	record *ledger.Round
	cert   *ledger.Certificate
	list   []*stored // verified messages of this round, in the order of the transcript
}

// certified follows the chain up to the round.
func (r *replay) certified() bool {
	last := len(r.cfg.Rounds) - 1
	r.m = newMachine(Config{Genesis: r.cfg.Genesis})
	r.m.self, r.m.now = -1, time.Unix(1, 0)
	r.report.Federation, r.report.Genesis, r.report.Round = r.cfg.Genesis.Name, r.m.genesis.String(), uint64(last)
	var f findings
	if err := r.chain(last); err != nil {
		f.isWrong("%v", err)
	} else {
		f.count = last + 1
		f.isRight("from genesis %s every round up to record %s follows the one before and is signed by a quorum", r.m.genesis, r.cert.Record)
		r.report.Kind, r.report.Attempt, r.report.View = r.record.Kind, r.record.Attempt, r.cert.View
		r.report.Record, r.report.Certificate = r.cert.Record.String(), r.cert.CID().String()
		r.report.WeightsIn, r.report.WeightsOut = r.record.WeightsIn.String(), r.record.WeightsOut.String()
	}
	r.report.add(f.check("certified rounds"))
	return len(f.wrong) == 0
}

func (r *replay) chain(last int) error {
	var log []Entry
	for k, f := range r.cfg.Rounds[:last] {
		log = append(log, Entry{RecordKey(uint64(k)), f.Record}, Entry{CertificateKey(uint64(k)), f.Certificate})
		if f.Epoch != nil {
			log = append(log, Entry{EpochKey(uint64(k)), f.Epoch})
		}
	}
	if err := r.m.restore(log); err != nil {
		return fmt.Errorf("round %d: %w", r.m.chain.Len(), errors.Unwrap(err))
	}
	if r.m.chain.Len() != uint64(last) {
		return fmt.Errorf("the record of round %d is missing", r.m.chain.Len())
	}
	var err error
	f := r.cfg.Rounds[last]
	if r.record, err = ledger.DecodeRound(f.Record); err != nil {
		return err
	}
	if err := r.m.chain.Check(r.record); err != nil {
		return fmt.Errorf("the record of round %d: %w", last, err)
	}
	if r.cert, err = ledger.DecodeCertificate(f.Certificate); err != nil {
		return err
	}
	if got := ledger.CIDOf(f.Record); !got.Equals(r.cert.Record) {
		return fmt.Errorf("the record has CID %s, the certificate vouches for %s", got, r.cert.Record)
	}
	return r.cert.Verify(r.m.epoch)
}

// files reads what the round started from.
func (r *replay) files() bool {
	var f findings
	var sets [2]*weights.Set
	for k, file := range []struct {
		name string
		data []byte
		want fmt.Stringer
	}{{"weights", r.cfg.Weights, r.record.WeightsIn}, {"optimizer state", r.cfg.State, r.m.chain.State()}} {
		c := ledger.FileCID(file.data)
		if c.String() != file.want.String() {
			f.isWrong("the %s at hand have CID %s, the round started from %s", file.name, c, file.want)
			continue
		}
		var err error
		if sets[k], err = decodeFile(c, file.data, maxFile); err != nil {
			f.isWrong("the %s %s cannot be read: %v", file.name, c, err)
			continue
		}
		f.count++
		f.bytes += int64(len(file.data))
		f.isRight("%s %s, %d bytes", file.name, c, len(file.data))
	}
	if len(f.wrong) == 0 {
		r.m.cfg.SetupTrunk, r.m.cfg.SetupHead = r.lengths()
		if !r.m.enterRound(sets[0], outerState{sets[1]}) {
			f.isWrong("the weights do not fit the genesis")
		} else {
			r.m.r.idle, r.m.r.forfeited = true, true // a spectator follows nobody and opens nothing
		}
	}
	r.report.add(f.check("files that the round started from"))
	return len(f.wrong) == 0
}

// lengths returns those of the setup sums: the model's, or else what most masked inputs of a setup round have.
func (r *replay) lengths() (trunk, head int) {
	if r.cfg.Applier != nil {
		return r.cfg.Applier.Lengths()
	}
	votes := [2]map[int]int{{}, {}}
	for _, raw := range r.cfg.Envelopes {
		if kindOf(raw) != typeMasked {
			continue
		}
		e, err := ledger.DecodeEnvelope(raw)
		if err != nil {
			continue
		}
		if h, err := secagg.DecodeMaskedHeader(e.Body); err == nil {
			votes[min(e.Seq, 1)][h.Lanes/secagg.WideLanes]++
		}
	}
	most := [2]int{}
	for k := range votes {
		for n, by := range votes[k] {
			if was := votes[k][most[k]]; by > was || by == was && n > most[k] {
				most[k] = n
			}
		}
	}
	return max(most[0]-len(r.cfg.Genesis.Elements), 0), most[1]
}

// kindOf peeks at the type of an envelope.
func kindOf(raw []byte) string {
	if len(raw) < 2 || len(raw) < 2+int(raw[1]) {
		return ""
	}
	return string(raw[2 : 2+int(raw[1])])
}

// names lists members for people.
func (r *replay) names(members []int) []string {
	out := make([]string, len(members))
	for k, i := range members {
		out[k] = r.m.epoch.Members[i].Name
	}
	return out
}

func (r *replay) nameAll(members []int) string {
	if len(members) == 0 {
		return "nobody"
	}
	return strings.Join(r.names(members), ", ")
}
