package sim

import (
	"strings"
	"testing"
)

// TestShrink shrinks a scenario that fails whenever members 1 and 2 are killed.
func TestShrink(t *testing.T) {
	s, err := Parse(strings.NewReader(`members 7
rounds 5
link *->* loss 5%
skew 3 +40s
byzantine 5 replay
at 1s kill 0,1,3 for 1s
at 2s pause 2 for 1s
at 3s kill 1,2,6
`))
	if err != nil {
		t.Fatal(err)
	}
	kills := func(s *Scenario, i int) bool {
		for _, e := range s.Events {
			if e.Do.Verb == Kill && e.Do.Who.Has(i) {
				return true
			}
		}
		return false
	}
	small := Shrink(s, func(s *Scenario) bool { return kills(s, 1) && kills(s, 2) })
	if got, want := small.String(), "members 7\nrounds 2\nseed 0\ncohort 5\nwithin 3m0s\ntrain 200ms..230ms\nat 3s kill 1,2\n"; got != want {
		t.Errorf("shrunk to\n%s\nwant\n%s", got, want)
	}
	if len(s.Events) != 3 || s.Rounds != 5 || len(s.Events[2].Do.Who) != 3 {
		t.Errorf("the scenario itself was changed:\n%s", s)
	}
}
