package doctor_test

import (
	"errors"
	"testing"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/doctor"
)

func TestAgreement(t *testing.T) {
	cid := func(s string) (c doctor.Standing) { c.Record = ledger.CIDOf([]byte(s)); return c }
	a, b := cid("a").Record, cid("b").Record
	for _, c := range []struct {
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
		{"another epoch", func(f *doctor.AgreementFacts) { f.Theirs.Epoch = a }, []want{{doctor.Failed, "(epoch): yours is", "same version"}}},
		{"record not sent", func(f *doctor.AgreementFacts) { f.RecordErr = errors.New("the member has no round 6") },
			[]want{{doctor.Skipped, "could not be found out: the member has no round 6", ""}}},
		{"other software", func(f *doctor.AgreementFacts) { f.Theirs.Software = "fedlam v2" },
			[]want{{doctor.OK, "the same 7", ""}, {doctor.Warning, `bank runs "fedlam v2", you run "fedlam v1"`, "one version"}}},
		{"numbers out of all bounds", func(f *doctor.AgreementFacts) { f.Theirs.Finished = ^uint64(0) }, []want{{doctor.Warning, "you are", "leave the node running"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := doctor.Standing{Genesis: a, Epoch: b, Finished: 7, Record: a, Weights: b, Software: "fedlam v1"}
			f := doctor.AgreementFacts{Member: "bank", Ours: s, Theirs: s, Running: true, OurRecord: a, TheirRecord: a}
			c.spoil(&f)
			check(t, doctor.Agreement(f), c.want...)
		})
	}
}
