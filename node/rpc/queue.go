package rpc

import "sync"

// envelope is one queued message.
type envelope struct {
	round uint64
	data  []byte
	id    uint64 // position since the start
}

// queue holds what a member has not acknowledged, oldest first, up to a number of bytes.
type queue struct {
	ready chan struct{} // has an element after a push

	mu    sync.Mutex
	items []envelope
	bytes int
	limit int
	next  uint64
}

func newQueue(limit int) *queue { return &queue{ready: make(chan struct{}, 1), limit: limit} }

func (q *queue) push(round uint64, many [][]byte) {
	q.mu.Lock()
	for _, data := range many {
		q.items = append(q.items, envelope{round, data, q.next})
		q.next++
		q.bytes += len(data)
	}
	for q.bytes > q.limit && len(q.items) > 1 {
		q.bytes -= len(q.items[0].data)
		q.items = q.items[1:]
	}
	q.mu.Unlock()
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// peek returns the oldest envelopes, at least one if there is any, up to a number of bytes.
func (q *queue) peek(bytes int) []envelope {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.items) && (n == 0 || len(q.items[n].data) <= bytes) {
		bytes -= len(q.items[n].data)
		n++
	}
	return append([]envelope(nil), q.items[:n]...)
}

// drop removes envelopes that peek returned; some may have been discarded meanwhile.
func (q *queue) drop(batch []envelope) {
	if len(batch) == 0 {
		return
	}
	last := batch[len(batch)-1].id
	q.keep(func(e envelope) bool { return e.id > last })
}

// discard removes what belongs to rounds before round.
func (q *queue) discard(round uint64) { q.keep(func(e envelope) bool { return e.round >= round }) }

func (q *queue) keep(wanted func(envelope) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	kept := make([]envelope, 0, len(q.items))
	q.bytes = 0
	for _, e := range q.items {
		if wanted(e) {
			kept = append(kept, e)
			q.bytes += len(e.data)
		}
	}
	q.items = kept
}

func (q *queue) empty() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) == 0
}
