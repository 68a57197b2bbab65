package secagg

import (
	"fmt"
	"testing"
)

func BenchmarkMask(b *testing.B) {
	for _, n := range []int{5, 20} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			p := newParty(b, testSession(n, 1<<20))
			if err := p.until(atConfirm); err != nil {
				b.Fatal(err)
			}
			m := *p.members[0]
			b.SetBytes(int64(4 * p.s.Lanes))
			for b.Loop() {
				again := m // the benchmark takes the step many times
				again.peers = map[int]*peer{}
				for i, other := range m.peers {
					clone := *other
					again.peers[i] = &clone
				}
				if _, err := again.Mask(p.values[0], p.confirms); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSum(b *testing.B) {
	for _, n := range []int{5, 20} {
		for _, dropped := range []int{0, n - Quorum(n)} {
			b.Run(fmt.Sprintf("n=%d/dropped=%d", n, dropped), func(b *testing.B) {
				p := newParty(b, testSession(n, 1<<20))
				for i := range dropped {
					p.leave[i] = atConfirm
				}
				if err := p.until(atUnmask); err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(4 * p.s.Lanes * len(p.survivors)))
				for b.Loop() {
					if _, err := Sum(p.s, p.in); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkKeyAgreement is the cost of Keys, Shares and Confirm of one member.
func BenchmarkKeyAgreement(b *testing.B) {
	for _, n := range []int{5, 20} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			p := newParty(b, testSession(n, 1))
			if err := p.until(atShares); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				m, err := NewMember(p.s, 0, testRoot(0))
				if err != nil {
					b.Fatal(err)
				}
				_, err1 := m.Shares(p.in.Keys)
				if _, err2 := m.Confirm(p.in.Shares); err1 != nil || err2 != nil {
					b.Fatal(err1, err2)
				}
			}
		})
	}
}
