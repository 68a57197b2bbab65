package sim

import (
	"math/rand/v2"
	"slices"
	"time"
)

// KillSizes are the numbers of members of the kill matrix.
var KillSizes = []int{4, 7, 10, 25}

// KillSteps are the steps of the kill matrix.
var KillSteps = []string{stepKeys, stepShares, stepConfirm, stepMasked, stepSurvivors, stepStateHead, stepOpenHead, stepFinal, stepStatement, stepUnmask, stepCommit}

// KillMatrix is one entry of the kill matrix: ceil(n/3)-1 members of a founded federation of n, drawn from the seed, are killed at
// a step of the first training round, before, in the midst of or after sending, all by themselves or when the first member gets
// there. Each comes back after a time of its own or never. The round must end with the exact sum or void, and the
// next one with a sum; the next one is left out with 25 members and more, for the time that it takes.
func KillMatrix(n int, step string, seed uint64) *Scenario {
	r := rand.New(rand.NewPCG(seed, uint64(1000*n+slices.Index(KillSteps, step))))
	s := &Scenario{Members: n, Rounds: 3, Seed: r.Uint64(), Founded: true}
	if n >= 25 {
		s.Rounds = 2
	}
	when := When{Step: step, Round: 1, Edge: pick(r, Before, Amid, After), Of: pick(r, Own, Anybody)}
	if byOne(step) {
		when.Of = Anybody
	}
	for _, victim := range r.Perm(n)[:(n+2)/3-1] {
		do := Do{Verb: Kill, Who: Members{victim}}
		if r.IntN(4) > 0 {
			do.For = away(r)
		}
		s.Events = append(s.Events, Event{when, do})
	}
	return s
}

// away draws how long a member is away: from 20 ms, when nobody notices, to 10 s, when rounds have been given up, with all
// magnitudes alike.
func away(r *rand.Rand) time.Duration {
	d := 20 * time.Millisecond << r.IntN(9)
	return (d + time.Duration(r.Int64N(int64(d)))).Round(time.Millisecond)
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }
