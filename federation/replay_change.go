package federation

import (
	"bytes"
	"maps"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
)

// change checks a round that ended an epoch: the owners of a quorum consented to the next one, and nothing else changed.
func (r *replay) change() {
	m := r.m
	var f findings
	switch p := m.r.proposals[r.record.Next]; {
	case p == nil:
		f.isMissing("no approval of epoch %s is in the transcript", r.record.Next)
	case len(p.by) < m.quorum:
		f.count = len(p.by)
		f.isMissing("%d members approve of epoch %s (%s), %d are needed", len(p.by), r.record.Next, r.nameAll(slices.Sorted(maps.Keys(p.by))), m.quorum)
	default:
		f.count = len(p.by)
		f.isRight("%s approve of epoch %d, %s", r.nameAll(slices.Sorted(maps.Keys(p.by))), p.epoch.K, r.record.Next)
		for _, text := range p.epoch.Differences(m.epoch) {
			f.isRight("%s", text)
		}
	}
	r.report.add(f.check("why the epoch ends"))
	var same findings
	if bytes.Equal(m.chain.NextEpoch(r.record.Next).Encode(), r.record.Encode()) {
		same.isRight("weights %s and optimizer state %s stay as they are", ledger.FileCID(r.cfg.Weights), m.chain.State())
	} else {
		same.isWrong("it ends an epoch and yet changes something else")
	}
	r.report.add(same.check("record and weights"))
}
