package node

import (
	"sync"

	"github.com/fedlam/fedlam/federation"
)

// mailbox holds events of the node itself: answers, greetings. There are few of them, so that it needs no bound; envelopes
// of others wait in a bounded channel instead.
type mailbox struct {
	mu    sync.Mutex
	queue []federation.Event
	ready chan struct{} // has an element when the queue has
}

func newMailbox() *mailbox { return &mailbox{ready: make(chan struct{}, 1)} }

// post never blocks.
func (m *mailbox) post(e federation.Event) {
	m.mu.Lock()
	m.queue = append(m.queue, e)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// take returns everything posted so far.
func (m *mailbox) take() []federation.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := m.queue
	m.queue = nil
	return out
}
