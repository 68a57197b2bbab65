package graph

import (
	"math/rand/v2"
	"testing"
)

// TestPlanner takes and gives blocks at random and checks that none overlap, that memory is aligned and that all of it is
// one free block in the end.
func TestPlanner(t *testing.T) {
	const values = 60
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var p planner
		p.reset(values)
		held := map[int]int{} // value -> elements
		for range 2000 {
			id := rng.IntN(values)
			if _, ok := held[id]; ok {
				p.give(id)
				delete(held, id)
				continue
			}
			held[id] = rng.IntN(1000)
			p.take(id, held[id])
			for other, n := range held {
				apart := p.at[id]+held[id] <= p.at[other] || p.at[other]+n <= p.at[id]
				if other != id && n > 0 && held[id] > 0 && !apart {
					t.Fatalf("seed %d: %d elements at %d overlap %d at %d", seed, held[id], p.at[id], n, p.at[other])
				}
			}
			if p.at[id]%alignment != 0 || p.at[id]+held[id] > p.end {
				t.Fatalf("seed %d: %d elements at %d, arena of %d", seed, held[id], p.at[id], p.end)
			}
		}
		for id := range held {
			p.give(id)
		}
		if p.end > 0 && (len(p.free) != 1 || p.free[0] != block{0, p.end}) {
			t.Errorf("seed %d: free blocks %v after all was given back, want one of %d", seed, p.free, p.end)
		}
	}
}

// TestPlannerPass checks that a block passed on belongs to its new owner only.
func TestPlannerPass(t *testing.T) {
	var p planner
	p.reset(3)
	p.take(0, 100)
	p.pass(0, 1)
	p.give(0)
	p.take(2, 100)
	if p.at[1] == p.at[2] {
		t.Error("a block that was passed on was given away by its former owner")
	}
}
