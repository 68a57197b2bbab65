package sim

import "slices"

// Shrink leaves out of a failing scenario what it does not need to fail, so that it makes a readable case. It asks fails about
// candidates, which it owns, until nothing more can go.
func Shrink(s *Scenario, fails func(*Scenario) bool) *Scenario {
	for smaller := true; smaller; {
		smaller = false
		for _, x := range candidates(s) {
			if fails(x) {
				s, smaller = x, true
				break
			}
		}
	}
	return s
}

// candidates are what is left of a scenario without one thing or another.
func candidates(s *Scenario) (out []*Scenario) {
	with := func(change func(x *Scenario)) {
		x := *s
		change(&x)
		out = append(out, &x)
	}
	for k := range s.Events {
		with(func(x *Scenario) { x.Events = without(s.Events, k) })
	}
	for k := range s.Links {
		with(func(x *Scenario) { x.Links = without(s.Links, k) })
	}
	for k := range s.Byzantine {
		with(func(x *Scenario) { x.Byzantine = without(s.Byzantine, k) })
	}
	for k := range s.Clocks {
		with(func(x *Scenario) { x.Clocks = without(s.Clocks, k) })
	}
	for k := range s.Failures {
		with(func(x *Scenario) { x.Failures = without(s.Failures, k) })
	}
	if s.Echo > 0 {
		with(func(x *Scenario) { x.Echo = 0 })
	}
	if s.Rounds > 2 && len(s.Expect) == 0 {
		with(func(x *Scenario) { x.Rounds-- })
	}
	for k, e := range s.Events {
		if e.Do.Verb.personal() && len(e.Do.Who) > 1 {
			for i := range e.Do.Who {
				with(func(x *Scenario) {
					x.Events = slices.Clone(s.Events)
					x.Events[k].Do.Who = without(e.Do.Who, i)
				})
			}
		}
	}
	return out
}

// without returns a copy of a list that lacks one element.
func without[S ~[]E, E any](list S, k int) S { return slices.Delete(slices.Clone(list), k, k+1) }
