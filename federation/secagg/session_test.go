package secagg

import (
	"crypto/sha256"
	"fmt"
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
