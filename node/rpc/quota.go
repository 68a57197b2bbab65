package rpc

import (
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// quota bounds how often each member is served: one request at a time, and some in any interval.
type quota struct {
	limit int
	every time.Duration

	mu    sync.Mutex
	busy  map[peer.ID]bool
	times map[peer.ID][]time.Time // of the newest requests, at most limit
}

func newQuota(limit int, every time.Duration) *quota {
	return &quota{limit: limit, every: every, busy: map[peer.ID]bool{}, times: map[peer.ID][]time.Time{}}
}

// begin admits a request, or tells how long to wait before another one. The caller calls done after an admitted one.
func (q *quota) begin(p peer.ID, now time.Time) (done func(), wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.busy[p] {
		return nil, time.Second
	}
	times := q.times[p]
	if len(times) == q.limit {
		if wait := times[0].Add(q.every).Sub(now); wait > 0 {
			return nil, max(wait, time.Second)
		}
		times = times[1:]
	}
	q.times[p] = append(append([]time.Time(nil), times...), now)
	q.busy[p] = true
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		delete(q.busy, p)
	}, 0
}
