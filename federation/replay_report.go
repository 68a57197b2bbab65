package federation

import (
	"fmt"
	"slices"
	"strings"
)

// A Verdict is how a check ended.
type Verdict string

// The verdicts of Replay.
const (
	Holds      Verdict = "holds"
	Wrong      Verdict = "wrong"       // what is there contradicts itself, or the certified record
	Incomplete Verdict = "incomplete"  // messages that would show it are missing
	NotChecked Verdict = "not checked" // it cannot be recomputed here; Found says why
)

// A ReplayReport is what Replay found. It is written as JSON under the names of its fields; docs/json.md explains them.
type ReplayReport struct {
	Version     int            `json:"version"` // 1
	OK          bool           `json:"ok"`      // no check is wrong or incomplete
	Federation  string         `json:"federation"`
	Genesis     string         `json:"genesis"`
	Round       uint64         `json:"round"`
	Kind        string         `json:"kind"`
	Attempt     uint64         `json:"attempt"` // that the record names; 0 when void
	View        uint64         `json:"view"`    // of the voting, in which the record was certified
	Record      string         `json:"record"`
	Certificate string         `json:"certificate"`
	WeightsIn   string         `json:"weights_in"`
	WeightsOut  string         `json:"weights_out"`
	Messages    int            `json:"messages"` // envelopes in the transcript
	Bytes       int64          `json:"bytes"`    // of these
	Why         string         `json:"why,omitempty"`
	First       string         `json:"first,omitempty"` // the first check that does not hold, and what it found
	Blame       []ReplayBlame  `json:"blame,omitempty"` // deviations that signed messages prove
	Checks      []ReplayCheck  `json:"checks"`          // in the order of the protocol
	Story       []string       `json:"story"`           // what happened, in the order of the protocol, for people
	Members     []ReplayMember `json:"members"`         // in the order of the epoch
}

// A ReplayCheck is one thing that was verified.
type ReplayCheck struct {
	What    string   `json:"what"`
	Verdict Verdict  `json:"verdict"`
	Found   string   `json:"found"`
	Members []string `json:"members,omitempty"` // whom a verdict other than Holds concerns; no proof that they deviate
	Count   int      `json:"count,omitempty"`   // of what Found counts first
	Bytes   int64    `json:"bytes,omitempty"`
}

// A ReplayBlame is a deviation that anybody can prove with the transcript.
type ReplayBlame struct {
	Member string `json:"member"`
	Proof  string `json:"proof"`
}

// A ReplayMember is what the transcript says about a member.
type ReplayMember struct {
	Name     string   `json:"name"`
	Member   string   `json:"member"`         // hex of its signing key
	Messages int      `json:"messages"`       // that it signed
	Bytes    int64    `json:"bytes"`          // of these
	Ready    bool     `json:"ready"`          // it said that its local work was done, in the attempt that counts
	Roster   bool     `json:"roster"`         // it was named among those who take part
	Sums     []string `json:"sums"`           // that its update is in
	Late     bool     `json:"late"`           // its masked update is in the transcript and in no sum of the trunk
	Opened   bool     `json:"opened"`         // its shares of the trunk
	Left     string   `json:"left,omitempty"` // the reasons that it gave
	GaveUp   bool     `json:"gave_up"`        // it promised to open no shares in this round
	Signed   bool     `json:"signed"`         // it is in the certificate
	Account  string   `json:"account"`        // all this in a sentence
}

// add enters a check.
func (r *ReplayReport) add(c ReplayCheck) {
	slices.Sort(c.Members)
	c.Members = slices.Compact(c.Members)
	r.Checks = append(r.Checks, c)
}

// blame enters a proven deviation, once.
func (r *ReplayReport) blame(member, proof string) {
	b := ReplayBlame{member, proof}
	if !slices.Contains(r.Blame, b) {
		r.Blame = append(r.Blame, b)
	}
}

// Worst returns the verdict on the whole: Wrong if any check is wrong, else Incomplete if any is, else Holds.
func (r *ReplayReport) Worst() Verdict {
	worst := Holds
	for _, c := range r.Checks {
		if c.Verdict == Wrong || c.Verdict == Incomplete && worst == Holds {
			worst = c.Verdict
		}
	}
	return worst
}

// finish says what the first check is that does not hold: a wrong one, or else one that messages are missing for.
func (r *ReplayReport) finish() {
	worst := r.Worst()
	r.OK = worst == Holds
	for _, c := range r.Checks {
		if c.Verdict == worst && !r.OK {
			r.First = fmt.Sprintf("%s: %s", c.What, c.Found)
			return
		}
	}
}

// findings collect what is wrong with one thing.
type findings struct {
	wrong, missing, right []string
	members               []string
	count                 int
	bytes                 int64
}

func (f *findings) isWrong(format string, args ...any) {
	f.wrong = append(f.wrong, fmt.Sprintf(format, args...))
}

func (f *findings) isMissing(format string, args ...any) {
	f.missing = append(f.missing, fmt.Sprintf(format, args...))
}

func (f *findings) isRight(format string, args ...any) {
	f.right = append(f.right, fmt.Sprintf(format, args...))
}

// check makes a check of them. What holds is told only when all does.
func (f *findings) check(what string) ReplayCheck {
	c := ReplayCheck{What: what, Verdict: Holds, Found: few(f.right), Members: f.members, Count: f.count, Bytes: f.bytes}
	switch {
	case len(f.wrong) > 0:
		c.Verdict, c.Found = Wrong, few(append(f.wrong, f.missing...))
	case len(f.missing) > 0:
		c.Verdict, c.Found = Incomplete, few(f.missing)
	}
	return c
}

// few joins sentences, and counts those that are too many to read.
func few(list []string) string {
	const most = 8
	if n := len(list) - most; n > 0 {
		list = append(slices.Clone(list[:most]), fmt.Sprintf("and %d more", n))
	}
	return strings.Join(list, "; ")
}
