package sim

import (
	"slices"
	"strconv"
	"strings"
)

// link reads who is connected and how: "0->*" and pairs of a name and a value.
func (p *phrase) link() *LinkRule {
	w := p.word("a link")
	from, to, ok := strings.Cut(w, "->")
	if !ok {
		p.fail("%q: want a link such as 0->* or *->*", w)
		return &LinkRule{}
	}
	r := &LinkRule{From: p.parseMembers(from), To: p.parseMembers(to)}
	for {
		switch name := p.word("latency, bandwidth, loss, duplicate, reorder or replay"); name {
		case "latency":
			s := p.span()
			r.Latency = &s
		case "bandwidth":
			r.Bandwidth = p.bandwidth()
		case "loss":
			r.Loss = p.percent()
		case "duplicate":
			r.Duplicate = p.percent()
		case "reorder":
			r.Reorder = p.percent()
		case "replay":
			r.Replay = p.percent()
		default:
			p.fail("%q: want latency, bandwidth, loss, duplicate, reorder or replay", name)
		}
		if len(p.words) == 0 {
			return r
		}
	}
}

func (p *phrase) percent() *int {
	w := p.word("a percentage")
	number, ok := strings.CutSuffix(w, "%")
	n, err := strconv.ParseUint(number, 10, 16)
	if p.err == nil && (!ok || err != nil || n > 100) {
		p.fail("%q: want a whole percentage such as 20%%", w)
	}
	out := int(n)
	return &out
}

// maxBandwidth bounds a bandwidth in bytes per second.
const maxBandwidth = 1e12

func (p *phrase) bandwidth() *int {
	w := p.word("a bandwidth")
	for _, u := range units {
		number, ok := strings.CutSuffix(w, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(number, 10, 40)
		if out := int(n) * u.size; err == nil && n <= maxBandwidth && out <= maxBandwidth {
			return &out
		}
		break
	}
	p.fail("%q: want a bandwidth such as 100kB/s or 2MB/s", w)
	return new(int)
}

// failure reads whose work fails, and when.
func (p *phrase) failure() Failure {
	f := Failure{Who: p.members()}
	if !p.accept("round") {
		p.fail("say in which round, for instance: fail 2 round 1")
	}
	f.Round = p.number(0, 1000)
	return f
}

// deviation reads who deviates and how: "5 equivocate roster,final to 0,1".
func (p *phrase) deviation() Deviation {
	d := Deviation{Who: int(p.number(0, MaxMembers-1)), Strategy: p.word("a strategy")}
	if len(p.words) > 0 && p.words[0] != "by" && p.words[0] != "to" {
		for step := range strings.SplitSeq(p.word("steps"), ",") {
			d.Steps = append(d.Steps, p.known(step))
		}
	}
	if p.accept("by") {
		d.Delay = p.positive()
	}
	if p.accept("to") {
		d.Towards = p.members()
	}
	return d
}

// known is a step; a type of envelope that is new to this package can be named, too.
func (p *phrase) known(step string) string {
	const longest = 32
	if step == "" || len(step) > longest || strings.Trim(step, "abcdefghijklmnopqrstuvwxyz-") != "" {
		p.fail("%q: want steps such as %s", step, strings.Join(Steps, ","))
	}
	return step
}

// when reads a moment, after its first word.
func (p *phrase) when(edge Edge) When {
	w := When{Of: Own}
	switch {
	case p.accept("step"):
		w.Edge, w.Step = edge, p.known(p.word("a step"))
		if p.accept("of") {
			w.Of = Anybody
			if !p.accept("any") {
				w.Of = int(p.number(0, MaxMembers-1))
			}
		}
		if !p.accept("round") {
			p.fail("say in which round, for instance: %s step %s round 1", edge, w.Step)
		}
		w.Round = p.number(0, 1000)
	case edge != Before:
		p.fail("%q stands before step only", edge)
	case p.accept("action"):
		w.Action = int(p.number(1, 1e6))
	default:
		w.At = p.duration()
	}
	return w
}

// do reads what is done.
func (p *phrase) do() Do {
	d := Do{Verb: Verb(p.word("what to do"))}
	switch d.Verb {
	case Kill, Pause, Full:
		d.Who = p.members()
		if p.accept("for") {
			d.For = p.positive()
		} else if d.Verb != Kill {
			p.fail("say for how long, for instance: %s %s for 2s", d.Verb, d.Who)
		}
	case Cut, Hold:
		d.Sides = p.sides()
		if p.accept("for") {
			d.For = p.positive()
		}
	case Heal:
	case Link:
		d.Link = p.link()
	case Skew:
		d.Who, d.Skew = p.members(), p.jump()
	default:
		p.fail("%q: want kill, pause, disk-full, cut, hold, heal, link or skew", d.Verb)
	}
	return d
}

// sides reads sets of members with bars between them. Nobody stands on two sides.
func (p *phrase) sides() (out []Members) {
	var all []int
	for {
		side := p.members()
		if side == nil || slices.ContainsFunc(side, func(i int) bool { return slices.Contains(all, i) }) {
			p.fail("want every member on one side at most, for instance: cut 0,1 | 2-6")
		}
		out, all = append(out, side), append(all, side...)
		if !p.accept("|") {
			break
		}
	}
	if len(out) < 2 {
		p.fail("want two sides or more, for instance: cut 0,1 | 2-6")
	}
	return out
}

// expected reads what a round should be: "train", or with the number of its sums "train/2".
func (p *phrase) expected() Expected {
	w := p.word("a kind")
	kind, sums, counted := strings.Cut(w, "/")
	e := Expected{Kind: kind}
	if counted {
		n, err := strconv.ParseUint(sums, 10, 8)
		if err != nil || n == 0 {
			p.fail("%q: want a kind such as train, or train/2 for one with two sums", w)
		}
		e.Sums = int(n)
	}
	return e
}
