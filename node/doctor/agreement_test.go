package doctor_test

import (
	"errors"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/doctor"
	"github.com/ipfs/go-cid"
)

func TestAgreement(t *testing.T) {
	id := func(s string) cid.Cid { return ledger.CIDOf([]byte(s)) }
	a, b, c, old := id("a"), id("b"), id("c"), id("old")
	for _, tt := range []struct {
		name  string
		spoil func(f *doctor.AgreementFacts)
		want  []want
	}{
		{"same", func(*doctor.AgreementFacts) {}, []want{{doctor.OK, "the same 7 certified rounds, weights " + b.String(), ""}}},
		{"no rounds", func(f *doctor.AgreementFacts) { f.Ours.Finished, f.Theirs.Finished = 0, 0 }, []want{{doctor.OK, "no round is certified yet", ""}}},
		{"news under way", func(f *doctor.AgreementFacts) { f.Theirs.Finished = 8 }, []want{{doctor.OK, "you are 1 round behind bank (7 of 8)", ""}}},
		{"behind", func(f *doctor.AgreementFacts) { f.Theirs.Finished = 17 }, []want{{doctor.Warning, "you are 10 rounds behind bank (7 of 17)", "leave the node running"}}},
		{"behind and stopped", func(f *doctor.AgreementFacts) { f.Theirs.Finished, f.Running = 17, false }, []want{{doctor.Warning, "10 rounds behind", "start the node"}}},
		{"ahead", func(f *doctor.AgreementFacts) { f.Theirs.Finished = 4 }, []want{{doctor.OK, "bank is 3 rounds behind you (4 of 7)", ""}}},
		{"different history", func(f *doctor.AgreementFacts) { f.TheirRecord = b },
			[]want{{doctor.Failed, "DIFFERENT HISTORY: both certified round 6, with different records: yours is " + a.String() + ", that of bank is " + b.String(), "stop your node"}}},
		{"different history further back", func(f *doctor.AgreementFacts) { f.Theirs.Finished, f.TheirRecord = 3, b },
			[]want{{doctor.Failed, "round 2, with different records", "stop your node"}}},
		{"another federation", func(f *doctor.AgreementFacts) { f.Theirs.Genesis = b },
			[]want{{doctor.Failed, "another federation: yours is " + a.String() + ", that of bank is " + b.String(), "founder"}}},
		{"another epoch of the same history", func(f *doctor.AgreementFacts) { f.Theirs.Epoch = c },
			[]want{{doctor.Failed, "(epoch): yours is " + b.String() + ", that of bank is " + c.String(), "same version"}}},
		{"another epoch, and behind", func(f *doctor.AgreementFacts) { f.Theirs.Epoch, f.Theirs.Finished = c, 3 }, []want{{doctor.Failed, "(epoch): yours is", "same version"}}},
		{"behind by an epoch", func(f *doctor.AgreementFacts) { f.Theirs.Epoch, f.Theirs.Finished = old, 3 },
			[]want{{doctor.Warning, "bank is in epoch 0 still, you are in epoch 1; bank is 4 rounds behind you (3 of 7)", "ask bank to leave its node running, or to start it again"}}},
		{"ahead by an epoch", func(f *doctor.AgreementFacts) { f.Theirs.Epoch, f.Theirs.Finished = c, 17 },
			[]want{{doctor.Warning, "bank is in an epoch (" + c.String() + ") that your node does not know: you are in epoch 1, and you are 10 rounds behind bank (7 of 17)",
				"leave the node running: it fetches what it lacks; start it again if `fedlam epoch show --home lab` says epoch 1"}}},
		{"ahead by an epoch, and this one is stopped", func(f *doctor.AgreementFacts) { f.Theirs.Epoch, f.Theirs.Finished, f.Running = c, 17, false },
			[]want{{doctor.Warning, "that your node does not know", "start the node: it fetches what it lacks"}}},
		{"ahead by an epoch, record not sent", func(f *doctor.AgreementFacts) {
			f.Theirs.Epoch, f.Theirs.Finished, f.RecordErr = c, 17, errors.New("no answer")
		}, []want{{doctor.Warning, "(7 of 17); whether the histories are the same could not be found out: no answer", "leave the node running"}}},
		{"another epoch and a different history", func(f *doctor.AgreementFacts) { f.Theirs.Epoch, f.TheirRecord = c, b }, []want{{doctor.Failed, "DIFFERENT HISTORY", "stop your node"}}},
		{"own history not read", func(f *doctor.AgreementFacts) {
			f.Epochs, f.Theirs.Epoch, f.RecordErr = nil, c, errors.New("round 3 of your log does not follow")
		}, []want{{doctor.Skipped, "could not be found out: round 3 of your log does not follow", ""}}},
		{"record not sent", func(f *doctor.AgreementFacts) { f.RecordErr = errors.New("the member has no round 6") },
			[]want{{doctor.Skipped, "could not be found out: the member has no round 6", ""}}},
		{"other software", func(f *doctor.AgreementFacts) { f.Theirs.Software = "fedlam v2" },
			[]want{{doctor.OK, "the same 7", ""}, {doctor.Warning, `bank runs "fedlam v2", you run "fedlam v1"`, "one version"}}},
		{"numbers out of all bounds", func(f *doctor.AgreementFacts) { f.Theirs.Finished = ^uint64(0) }, []want{{doctor.Warning, "you are", "leave the node running"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := doctor.Standing{Genesis: a, Epoch: b, Finished: 7, Record: a, Weights: b, Software: "fedlam v1"}
			f := doctor.AgreementFacts{Member: "bank", Ours: s, Theirs: s, Dir: "lab", Epochs: []cid.Cid{old, b}, Running: true, OurRecord: a, TheirRecord: a}
			tt.spoil(&f)
			check(t, doctor.Agreement(f), tt.want...)
		})
	}
}
