package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Limits of the clock's error.
const (
	clockWarns = 2 * time.Second
	clockFails = 30 * time.Second
	clockJumps = time.Second
)

// ClockFacts are the times that other members replied with.
type ClockFacts struct {
	// Offsets are, for each member that replied, how far its clock is ahead of this one, from the fastest of several replies:
	// its time less the middle between question and reply.
	Offsets []Offset
	// Jump is how much further the clock moved during the questions than time passed.
	Jump time.Duration
}

// An Offset is a member's clock against this one.
type Offset struct {
	Member string
	Ahead  time.Duration
	Within time.Duration // half of the round trip: how wrong Ahead can be
}

const setClock = "let the system keep time by itself (`timedatectl set-ntp true`, or an NTP service)"

// Clock compares this clock with the median of the others. No server outside the federation is asked.
func Clock(f ClockFacts) []Finding {
	if f.Jump.Abs() > clockJumps {
		return []Finding{{Check: ClockCheck, State: Warning, Text: fmt.Sprintf("the clock was moved by %s while it was compared", f.Jump.Round(time.Millisecond)),
			Next: setClock + ", and run fedlam doctor again"}}
	}
	if len(f.Offsets) == 0 {
		return []Finding{{Check: ClockCheck, State: Skipped, Text: "no member replied, so there is no clock to compare with", Next: "see reachability"}}
	}
	sorted := slices.SortedFunc(slices.Values(f.Offsets), func(a, b Offset) int { return cmp.Compare(a.Ahead, b.Ahead) })
	middle := sorted[len(sorted)/2]
	if len(sorted)%2 == 0 {
		below := sorted[len(sorted)/2-1]
		middle = Offset{Ahead: (below.Ahead + middle.Ahead) / 2, Within: max(below.Within, middle.Within)}
	}
	out := []Finding{ownClock(middle, len(sorted))}
	for _, o := range f.Offsets {
		if apart := o.Ahead - middle.Ahead; len(sorted) > 2 && apart.Abs() > clockWarns {
			out = append(out, Finding{Check: ClockCheck, Member: o.Member, State: Warning,
				Text: fmt.Sprintf("the clock of %s %s the median of the others", o.Member, side(apart)), Next: "tell " + o.Member})
		}
	}
	return out
}

func ownClock(middle Offset, members int) Finding {
	own := -middle.Ahead
	whose := fmt.Sprintf("the median of %d members", members)
	if members == 1 {
		whose = "that of the only member that replied"
	}
	f := Finding{Check: ClockCheck, State: OK, Text: fmt.Sprintf("your clock %s %s (known to %s)", side(own), whose, middle.Within.Round(time.Microsecond))}
	switch {
	case own.Abs() > clockFails:
		f.State = Failed
		f.Next = setClock
	case own.Abs() > clockWarns:
		f.State = Warning
		f.Next = setClock
	}
	if f.Next != "" && members == 1 {
		f.Next += ", unless it is the other clock that is wrong"
	}
	return f
}

// side says "is 3s ahead of", "is 3s behind" or "agrees with".
func side(d time.Duration) string {
	switch rounded := d.Abs().Round(time.Millisecond); {
	case rounded == 0:
		return "agrees with"
	case d < 0:
		return fmt.Sprintf("is %s behind", rounded)
	default:
		return fmt.Sprintf("is %s ahead of", rounded)
	}
}
