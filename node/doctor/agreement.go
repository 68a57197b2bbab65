package doctor

import (
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"
)

// Standing is where a member is in the federation's history.
type Standing struct {
	Genesis, Epoch cid.Cid
	Finished       uint64  // certified rounds
	Record         cid.Cid // of the newest one; undefined before the first
	Weights        cid.Cid // newest certified; those of the genesis before the first
	Software       string
}

// AgreementFacts compare this node with one other member.
type AgreementFacts struct {
	Member       string
	Ours, Theirs Standing
	// Dir is the folder of this node, as the owner calls it.
	Dir string
	// Epochs are those of this node's history by number, the newest last; empty when the history could not be read.
	Epochs []cid.Cid
	// Running says that this node runs, and so catches up.
	Running bool
	// OurRecord and TheirRecord are the records of the newest round that both have finished, undefined when there is none.
	OurRecord, TheirRecord cid.Cid
	// RecordErr says why they could not be compared; nil when they could.
	RecordErr error
}

// tolerated is how many rounds members may be apart because their news crossed on the way.
const tolerated = 1

// Agreement compares genesis, history, epoch and software. A history that differs is the worst that can be found: somebody lied, or a
// folder was copied or restored.
func Agreement(f AgreementFacts) []Finding {
	out := []Finding{f.history()}
	if f.Ours.Software != f.Theirs.Software {
		out = append(out, Finding{Check: AgreementCheck, Member: f.Member, State: Warning,
			Text: fmt.Sprintf("%s runs %q, you run %q", f.Member, f.Theirs.Software, f.Ours.Software), Next: "agree on one version before the next round, the newer one if nothing speaks against it"})
	}
	return out
}

func (f AgreementFacts) history() Finding {
	finding := Finding{Check: AgreementCheck, Member: f.Member, State: OK}
	differs := func(what string, ours, theirs cid.Cid, next string) Finding {
		finding.State, finding.Next = Failed, next
		finding.Text = fmt.Sprintf("%s: yours is %s, that of %s is %s", what, ours, f.Member, theirs)
		return finding
	}
	common := min(f.Ours.Finished, f.Theirs.Finished)
	switch {
	case !f.Ours.Genesis.Equals(f.Theirs.Genesis):
		return differs("another federation", f.Ours.Genesis, f.Theirs.Genesis, "compare both genesis CIDs with the one that the founder gave you; who has another one must join again with a new node")
	case f.RecordErr == nil && common > 0 && !f.OurRecord.Equals(f.TheirRecord):
		return differs(fmt.Sprintf("DIFFERENT HISTORY: both certified round %d, with different records", common-1), f.OurRecord, f.TheirRecord,
			"stop your node, keep its folder as it is, and ask the other members for their record of this round: who differs from more than two thirds of them was restored from an old backup, copied, or deceived")
	case len(f.Epochs) > 0 && !f.Ours.Epoch.Equals(f.Theirs.Epoch):
		return f.epochs()
	case f.RecordErr != nil:
		finding.State = Skipped
		finding.Text = fmt.Sprintf("%s; whether the histories are the same could not be found out: %v", f.distance(), f.RecordErr)
		return finding
	}
	finding.Text = f.distance()
	if f.Ours.Finished+tolerated < f.Theirs.Finished {
		finding.State = Warning
		finding.Next = f.catchUp()
	}
	return finding
}

// epochs judges a member that is in another epoch. One that has not followed, on either side, is no danger, but takes no part.
func (f AgreementFacts) epochs() Finding {
	finding := Finding{Check: AgreementCheck, Member: f.Member, State: Warning}
	now := len(f.Epochs) - 1
	theirs := slices.IndexFunc(f.Epochs, f.Theirs.Epoch.Equals)
	switch {
	case theirs >= 0:
		finding.Text = fmt.Sprintf("%s is in epoch %d still, you are in epoch %d; %s", f.Member, theirs, now, f.distance())
		finding.Next = fmt.Sprintf("ask %s to leave its node running, or to start it again, so that it catches up; until then it has no part in the rounds", f.Member)
	case f.Ours.Finished < f.Theirs.Finished:
		finding.Text = fmt.Sprintf("%s is in an epoch (%s) that your node does not know: you are in epoch %d, and %s", f.Member, f.Theirs.Epoch, now, f.distance())
		finding.Next = f.catchUp()
		if f.Running {
			finding.Next += fmt.Sprintf("; start it again if `fedlam epoch show --home %s` says epoch %d a minute from now", f.Dir, now)
		}
	default:
		finding.State = Failed
		finding.Text = fmt.Sprintf("another list of members or other rules (epoch): yours is %s, that of %s is %s, and its history is no longer than yours", f.Ours.Epoch, f.Member, f.Theirs.Epoch)
		finding.Next = "install the same version of fedlam on both sides: which epoch is in force follows from the history"
	}
	if f.RecordErr != nil {
		finding.Text += fmt.Sprintf("; whether the histories are the same could not be found out: %v", f.RecordErr)
	}
	return finding
}

// catchUp says what to do when this node is behind.
func (f AgreementFacts) catchUp() string {
	if f.Running {
		return "leave the node running: it fetches what it lacks"
	}
	return "start the node: it fetches what it lacks"
}

// distance says who is ahead.
func (f AgreementFacts) distance() string {
	switch ours, theirs := f.Ours.Finished, f.Theirs.Finished; {
	case ours == 0 && theirs == 0:
		return "no round is certified yet"
	case ours == theirs:
		return fmt.Sprintf("the same %s, weights %s", count(int(min(ours, 1<<31)), "certified round"), f.Ours.Weights)
	case ours < theirs:
		return fmt.Sprintf("you are %s behind %s (%d of %d)", rounds(theirs-ours), f.Member, ours, theirs)
	default:
		return fmt.Sprintf("%s is %s behind you (%d of %d)", f.Member, rounds(ours-theirs), theirs, ours)
	}
}

func rounds(n uint64) string { return count(int(min(n, 1<<31)), "round") }
