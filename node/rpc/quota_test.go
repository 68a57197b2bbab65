package rpc

import (
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

func TestQuota(t *testing.T) {
	q := newQuota(2, time.Minute)
	start := time.Unix(1000, 0)
	for _, c := range []struct {
		name     string
		who      string
		at       time.Duration
		stay     bool
		wantWait time.Duration
	}{
		{"first", "a", 0, false, 0},
		{"second", "a", 10 * time.Second, false, 0},
		{"third too early", "a", 20 * time.Second, false, 40 * time.Second},
		{"another member", "b", 20 * time.Second, true, 0},
		{"the same while it is served", "b", 21 * time.Second, false, time.Second},
		{"third when the first is a minute old", "a", 60 * time.Second, false, 0},
		{"fourth waits for the second", "a", 61 * time.Second, false, 9 * time.Second},
	} {
		done, wait := q.begin(peer.ID(c.who), start.Add(c.at))
		if wait != c.wantWait || (done == nil) != (wait > 0) {
			t.Errorf("%s: wait %v, want %v", c.name, wait, c.wantWait)
		}
		if done != nil && !c.stay {
			done()
		}
	}
}
