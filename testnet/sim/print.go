package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// String writes the scenario in the language that Parse reads.
func (s *Scenario) String() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("members %d", s.Members)
	line("rounds %d", s.Rounds)
	line("seed %d", s.Seed)
	line("cohort %d", s.Cohort)
	if s.Divided > 0 {
		line("divided %d", s.Divided)
	}
	if s.Founded {
		line("founded")
	}
	line("within %s", s.Within)
	line("train %s", s.Train)
	for k := range s.Links {
		line("link %s", &s.Links[k])
	}
	for _, c := range s.Clocks {
		line("%s", c)
	}
	for _, f := range s.Failures {
		line("fail %s round %d", f.Who, f.Round)
	}
	if s.Echo > 0 {
		line("echo %d%%", s.Echo)
	}
	for _, d := range s.Byzantine {
		line("byzantine %s", d)
	}
	for _, e := range s.Events {
		line("%s %s", e.When, e.Do)
	}
	if len(s.Expect) > 0 {
		line("expect %s", joined(s.Expect))
	}
	return b.String()
}

func (s Span) String() string {
	if s.Low == s.High {
		return s.Low.String()
	}
	return s.Low.String() + ".." + s.High.String()
}

// String lists members, with a dash for three or more that follow each other; "*" is everybody.
func (m Members) String() string {
	if m == nil {
		return "*"
	}
	var parts []string
	for k := 0; k < len(m); {
		end := k
		for end+1 < len(m) && m[end+1] == m[end]+1 {
			end++
		}
		if end-k >= 2 {
			parts = append(parts, fmt.Sprintf("%d-%d", m[k], m[end]))
			k = end + 1
			continue
		}
		parts = append(parts, strconv.Itoa(m[k]))
		k++
	}
	return strings.Join(parts, ",")
}

func (r *LinkRule) String() string {
	parts := []string{r.From.String() + "->" + r.To.String()}
	if r.Latency != nil {
		parts = append(parts, "latency "+r.Latency.String())
	}
	if r.Bandwidth != nil {
		parts = append(parts, "bandwidth "+bandwidthText(*r.Bandwidth))
	}
	for _, x := range []struct {
		name  string
		value *int
	}{{"loss", r.Loss}, {"duplicate", r.Duplicate}, {"reorder", r.Reorder}, {"replay", r.Replay}} {
		if x.value != nil {
			parts = append(parts, fmt.Sprintf("%s %d%%", x.name, *x.value))
		}
	}
	return strings.Join(parts, " ")
}

// units of bandwidth, largest first.
var units = []struct {
	name string
	size int
}{{"MB/s", 1e6}, {"kB/s", 1e3}, {"B/s", 1}}

func bandwidthText(n int) string {
	for _, u := range units {
		if n%u.size == 0 && n > 0 {
			return strconv.Itoa(n/u.size) + u.name
		}
	}
	return "0B/s"
}

func (c ClockRule) String() string {
	if c.PPM != 0 {
		return fmt.Sprintf("drift %s %+dppm", c.Who, c.PPM)
	}
	return fmt.Sprintf("skew %s %s", c.Who, signed(c.Skew))
}

func signed(d time.Duration) string {
	if d < 0 {
		return d.String()
	}
	return "+" + d.String()
}

func (d Deviation) String() string {
	text := fmt.Sprintf("%d %s", d.Who, d.Strategy)
	if len(d.Steps) > 0 {
		text += " " + strings.Join(d.Steps, ",")
	}
	if d.Delay != 0 {
		text += " by " + d.Delay.String()
	}
	if d.Towards != nil {
		text += " to " + d.Towards.String()
	}
	return text
}

func (w When) String() string {
	switch {
	case w.Action > 0:
		return fmt.Sprintf("at action %d", w.Action)
	case w.Step == "":
		return "at " + w.At.String()
	}
	text := fmt.Sprintf("%s step %s", w.Edge, w.Step)
	switch {
	case w.Of == Anybody:
		text += " of any"
	case w.Of >= 0:
		text += fmt.Sprintf(" of %d", w.Of)
	}
	return fmt.Sprintf("%s round %d", text, w.Round)
}

func (d Do) String() string {
	text := string(d.Verb)
	switch d.Verb {
	case Kill, Pause, Full:
		text += " " + d.Who.String()
		if d.For > 0 {
			text += " for " + d.For.String()
		}
	case Cut, Hold:
		var sides []string
		for _, side := range d.Sides {
			sides = append(sides, side.String())
		}
		text += " " + strings.Join(sides, " | ")
		if d.For > 0 {
			text += " for " + d.For.String()
		}
	case Link:
		text += " " + d.Link.String()
	case Skew:
		text += fmt.Sprintf(" %s %s", d.Who, signed(d.Skew))
	}
	return text
}

func (e Expected) String() string {
	if e.Sums == 0 {
		return e.Kind
	}
	return fmt.Sprintf("%s/%d", e.Kind, e.Sums)
}

func joined(of []Expected) string {
	var words []string
	for _, e := range of {
		words = append(words, e.String())
	}
	return strings.Join(words, " ")
}

// sorted returns a set of members in ascending order, each once.
func sorted(m Members) Members {
	slices.Sort(m)
	return slices.Compact(m)
}
