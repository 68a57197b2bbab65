package secagg

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// testRoster returns n distinct member ids.
func testRoster(n int) [][32]byte {
	roster := make([][32]byte, n)
	for i := range roster {
		roster[i] = sha256.Sum256(fmt.Appendf(nil, "member %d", i))
	}
	return roster
}

func testSession(n, lanes int) Session {
	roster := testRoster(n)
	c := Context{Genesis: []byte("genesis"), Round: 7, WeightsIn: []byte("weights"), Config: []byte("config"), Roster: roster, Group: "trunk"}
	return Session{ID: c.ID(), Roster: roster, Threshold: Quorum(n), MinSurvivors: 2, Lanes: lanes}
}

func testRoot(i int) [32]byte { return sha256.Sum256(fmt.Appendf(nil, "root %d", i)) }

// newSession is testSession in one of the rings.
type newSession func(n, lanes int) Session

// overRings runs a test in both rings.
func overRings(t *testing.T, test func(t *testing.T, session newSession)) {
	for _, bits := range []int{32, 16} {
		t.Run(fmt.Sprintf("%d bits", bits), func(t *testing.T) {
			test(t, func(n, lanes int) Session {
				s := testSession(n, lanes)
				s.Bits = bits
				return s
			})
		})
	}
}
