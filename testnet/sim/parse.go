package sim

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// maxText bounds a scenario in bytes.
const maxText = 1 << 20

// Parse reads a scenario: one statement a line, comments after #. See the package comment for the language. Errors name the line.
func Parse(in io.Reader) (*Scenario, error) {
	s := &Scenario{}
	lines := bufio.NewScanner(io.LimitReader(in, maxText))
	for number := 1; lines.Scan(); number++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		p := &phrase{words: words}
		s.statement(p)
		if p.err == nil && len(p.words) > 0 {
			p.fail("%q is too much", strings.Join(p.words, " "))
		}
		if p.err != nil {
			return nil, fmt.Errorf("scenario, line %d, %q: %w", number, strings.TrimSpace(text), p.err)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read a scenario: %w", err)
	}
	return s, s.Validate()
}

// statement reads one line.
func (s *Scenario) statement(p *phrase) {
	switch first := p.word("a statement"); first {
	case "members":
		s.Members = int(p.number(1, MaxMembers))
	case "rounds":
		s.Rounds = p.number(1, 1000)
	case "seed":
		s.Seed = p.number(0, 1<<64-1)
	case "cohort":
		s.Cohort = int(p.number(2, MaxMembers))
	case "divided":
		s.Divided = int(p.number(3, MaxMembers))
	case "founded":
		s.Founded = true
	case "within":
		s.Within = p.duration()
	case "train":
		s.Train = p.span()
	case "link":
		s.Links = append(s.Links, *p.link())
	case "skew":
		s.Clocks = append(s.Clocks, ClockRule{Who: p.members(), Skew: p.jump()})
	case "drift":
		s.Clocks = append(s.Clocks, ClockRule{Who: p.members(), PPM: p.ppm()})
	case "fail":
		s.Failures = append(s.Failures, p.failure())
	case "echo":
		s.Echo = *p.percent()
	case "byzantine":
		s.Byzantine = append(s.Byzantine, p.deviation())
	case "at", "amid", "after":
		s.Events = append(s.Events, Event{p.when(Edge(first)), p.do()})
	case "expect":
		for len(p.words) > 0 {
			s.Expect = append(s.Expect, p.expected())
		}
	default:
		p.fail("a line begins with members, rounds, seed, cohort, divided, founded, within, train, link, skew, drift, fail, echo, byzantine, at, amid, after or expect")
	}
}

// A phrase is read word by word. The first failure sticks; what is read after it is zero.
type phrase struct {
	words []string
	err   error
}

func (p *phrase) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.words = nil
}

// word takes the next word.
func (p *phrase) word(what string) string {
	if len(p.words) == 0 {
		p.fail("%s is missing at the end", what)
		return ""
	}
	w := p.words[0]
	p.words = p.words[1:]
	return w
}

// accept takes the next word if it is a given one.
func (p *phrase) accept(word string) bool {
	if len(p.words) == 0 || p.words[0] != word {
		return false
	}
	p.words = p.words[1:]
	return true
}

func (p *phrase) number(low, high uint64) uint64 {
	w := p.word("a number")
	n, err := strconv.ParseUint(w, 10, 64)
	if p.err == nil && (err != nil || n < low || n > high) {
		p.fail("%q: want a number from %d to %d", w, low, high)
		return 0
	}
	return n
}

// maxDuration bounds every duration.
const maxDuration = 1000 * time.Hour

func (p *phrase) parseDuration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if p.err == nil && (err != nil || d < 0 || d > maxDuration) {
		p.fail("%q: want a duration such as 300ms or 2s, up to %s", text, maxDuration)
		return 0
	}
	return d
}

func (p *phrase) duration() time.Duration { return p.parseDuration(p.word("a duration")) }

// positive is a duration that is not zero.
func (p *phrase) positive() time.Duration {
	d := p.duration()
	if d == 0 {
		p.fail("want more than no time")
	}
	return d
}

func (p *phrase) span() Span {
	low, high, two := strings.Cut(p.word("a duration"), "..")
	s := Span{Low: p.parseDuration(low)}
	s.High = s.Low
	if two {
		s.High = p.parseDuration(high)
	}
	if s.High < s.Low {
		p.fail("%s: the second duration is the shorter one", s)
	}
	return s
}

// jump is a duration with its sign.
func (p *phrase) jump() time.Duration {
	w := p.word("a time difference")
	if rest, ok := strings.CutPrefix(w, "+"); ok {
		return p.parseDuration(rest)
	}
	if rest, ok := strings.CutPrefix(w, "-"); ok {
		return -p.parseDuration(rest)
	}
	p.fail("%q: want a time difference with its sign, such as +40s", w)
	return 0
}

func (p *phrase) ppm() int {
	w := p.word("a rate")
	number, ok := strings.CutSuffix(w, "ppm")
	n, err := strconv.Atoi(number)
	if p.err == nil && (!ok || err != nil || n == 0 || n < -maxPPM || n > maxPPM) {
		p.fail("%q: want a rate such as +200ppm, up to %d", w, maxPPM)
		return 0
	}
	return n
}

const maxPPM = 500_000

// members reads a set of members: "0,2-4" or "*".
func (p *phrase) members() Members { return p.parseMembers(p.word("a list of members")) }

func (p *phrase) parseMembers(text string) Members {
	if text == "*" {
		return nil
	}
	out := Members{}
	for part := range strings.SplitSeq(text, ",") {
		low, high, ok := strings.Cut(part, "-")
		if !ok {
			high = low
		}
		a, errA := strconv.ParseUint(low, 10, 16)
		b, errB := strconv.ParseUint(high, 10, 16)
		if errA != nil || errB != nil || a > b || b >= MaxMembers {
			p.fail("%q: want members such as 0,2-4 or *", text)
			return Members{}
		}
		for i := a; i <= b; i++ {
			out = append(out, int(i))
		}
	}
	return sorted(out)
}
