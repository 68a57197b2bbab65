package testnet

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
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
	start  time.Time          // of the first round
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

// showEvery is the time between two lines about rounds.
const showEvery = 2 * time.Second

// certified announces a round when the first node has it; when rounds are quick, not every one.
func (p *progress) certified(node string, e event) {
	round := uint64(e.number("round"))
	if round < p.seen {
		return
	}
	p.seen = round + 1
	kind, _ := e.attributes["kind"].(string)
	text := fmt.Sprintf("round %d of %d certified", round, p.rounds-1)
	switch {
	case kind != ledger.Train:
		text += fmt.Sprintf(" (%s)", kind)
	case len(p.errors) > 0:
		sum := 0.0
		for _, v := range p.errors {
			sum += v
		}
		text += fmt.Sprintf("; force RMSE %.0f meV/Å on average after the one before", 1e3*sum/float64(len(p.errors)))
	}
	if left := p.rounds - p.seen; left > 0 && kind == ledger.Train {
		text += fmt.Sprintf("; %.0f members in the sum, about %s left", e.number("members"),
			(time.Since(p.start) / time.Duration(p.seen) * time.Duration(left)).Round(time.Second))
		p.console.sometimes(showEvery, us, "%s", text)
		return
	}
	p.console.say(us, "%s", text)
}
