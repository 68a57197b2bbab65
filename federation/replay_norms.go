package federation

import (
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
)

// norms audits the norms of an opened trunk again from the reports in the transcript.
func (r *replay) norms(a *attempt) {
	m, trunk := r.m, a.sessions[0]
	if !m.auditsNorms() || trunk.sum == nil || a.norms != nil {
		return
	}
	var f findings
	defer func() { r.report.add(f.check("norms of the updates")) }()
	x, err := m.openSeeds(trunk)
	if err == nil && x != nil {
		err = m.beginAudit(a, trunk)
	}
	if err != nil || x == nil {
		a.norms = &normAudit{done: true}
		f.isRight("not audited: %v", err)
		return
	}
	a.takeReports(trunk, func(i int, err error) { f.isRight("the report of %s does not hold: %v", m.name(i), err) })
	lies, _ := m.settlePairs(a, trunk)
	for _, l := range lies {
		f.isRight("%s lied: %s", m.name(l.member), l.proof)
		r.report.blame(m.name(l.member), l.proof)
	}
	result := a.norms.final()
	a.norms.done = true
	for _, v := range result.Verdicts {
		i := trunk.members[v.Member]
		f.isRight("%s %.2g of the longest allowed", m.name(i), v.Norm/v.Bound)
		if v.Violates {
			r.report.blame(m.name(i), fmt.Sprintf("its update was %.1f times as long as allowed", v.Norm/v.Bound))
		}
	}
	for _, q := range result.Quarrels {
		f.isRight("%s and %s contradict each other about their common mask", m.name(trunk.members[q.Low]), m.name(trunk.members[q.High]))
	}
	if len(result.Silent) > 0 {
		f.isRight("no report of %s", r.nameAll(trunk.at(result.Silent)))
	}
	f.count = len(a.reports)
	slices.Sort(f.right)
	m.judgeNorms(a, trunk, result)
	if m.r.mustVoid != "" && r.record.Kind != ledger.Void {
		f.isMissing("%s; the round was certified all the same, and the transcript does not say whether the reports and opened pairs that show this came in time", m.r.mustVoid)
		m.r.mustVoid = ""
	}
}
