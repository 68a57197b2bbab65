package testnet

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	fednode "github.com/fedlam/fedlam/node"
)

// An event is a line of `fedlam node --log json`.
type event struct {
	level, text string
	attributes  map[string]any
}

// parseEvent reads a line; lines that are not events are the last words of a program that fails.
func parseEvent(line string) (event, bool) {
	var all map[string]any
	if json.Unmarshal([]byte(line), &all) != nil {
		return event{}, false
	}
	text, ok := all["msg"].(string)
	if !ok {
		return event{}, false
	}
	level, _ := all["level"].(string)
	return event{level, text, all}, true
}

func (e event) number(name string) float64 {
	v, _ := e.attributes[name].(float64)
	return v
}

func (e event) String() string {
	out := e.text
	for _, name := range []string{"head", "error", "reason"} {
		if v, ok := e.attributes[name]; ok {
			out += fmt.Sprintf(" (%s %v)", name, v)
		}
	}
	return out
}

// progress turns what the nodes say into one line per round.
type progress struct {
	console *console
	rounds  uint64 // that are wanted, the setup round included
	nodes   int

	mu     sync.Mutex
	seen   uint64             // rounds announced
	start  time.Time          // of the round under way
	errors map[string]float64 // newest force RMSE by node, eV/Å
	warned map[string]bool    // texts that several nodes say are shown once
}

func newProgress(c *console, rounds uint64, nodes int) *progress {
	return &progress{console: c, rounds: rounds, nodes: nodes, start: time.Now(), errors: map[string]float64{}, warned: map[string]bool{}}
}

// line takes what a node wrote.
func (p *progress) line(node, line string) {
	e, ok := parseEvent(line)
	if !ok {
		p.console.say(node, "%s", line)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case e.text == fednode.MsgCertified:
		p.certified(node, e)
	case e.text == fednode.MsgResults:
		p.errors[node] = e.number("force_rmse")
	case e.level == "WARN" || e.level == "ERROR":
		if text := e.String(); !p.warned[text] {
			p.warned[text] = true
			p.console.say(node, "%s: %s", strings.ToLower(e.level), text)
		}
	}
}

// certified announces a round when the first node has it.
func (p *progress) certified(node string, e event) {
	round := uint64(e.number("round"))
	if round < p.seen {
		return
	}
	took := time.Since(p.start)
	p.start, p.seen = time.Now(), round+1
	kind, _ := e.attributes["kind"].(string)
	text := fmt.Sprintf("round %d of %d (%s) certified after %.1f s", round, p.rounds-1, kind, took.Seconds())
	if n := e.number("members"); n > 0 {
		text += fmt.Sprintf(", %.0f members in the sum", n)
	}
	if len(p.errors) > 0 {
		sum := 0.0
		for _, v := range p.errors {
			sum += v
		}
		text += fmt.Sprintf("; before it, force RMSE %.0f meV/Å on average", 1e3*sum/float64(len(p.errors)))
	}
	if left := p.rounds - p.seen; round > 0 && left > 0 {
		text += fmt.Sprintf("; about %s left", (time.Duration(left) * took).Round(time.Second))
	}
	p.console.say(us, "%s", text)
}
