package p2p

import (
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Traffic counts the bytes of all streams of a host, exactly and at once; libp2p's own counter lags by up to a second.
type Traffic struct{ sent, received atomic.Int64 }

var _ metrics.Reporter = (*Traffic)(nil)

// Totals returns the bytes since the start.
func (t *Traffic) Totals() (sent, received int64) { return t.sent.Load(), t.received.Load() }

// LogSentMessage implements metrics.Reporter.
func (t *Traffic) LogSentMessage(n int64) { t.sent.Add(n) }

// LogRecvMessage implements metrics.Reporter.
func (t *Traffic) LogRecvMessage(n int64) { t.received.Add(n) }

// The rest of metrics.Reporter tells by peer and protocol, which nobody asks for.

func (t *Traffic) LogSentMessageStream(int64, protocol.ID, peer.ID)      {}
func (t *Traffic) LogRecvMessageStream(int64, protocol.ID, peer.ID)      {}
func (t *Traffic) GetBandwidthForPeer(peer.ID) (s metrics.Stats)         { return s }
func (t *Traffic) GetBandwidthForProtocol(protocol.ID) (s metrics.Stats) { return s }
func (t *Traffic) GetBandwidthByPeer() map[peer.ID]metrics.Stats         { return nil }

func (t *Traffic) GetBandwidthByProtocol() map[protocol.ID]metrics.Stats { return nil }

func (t *Traffic) GetBandwidthTotals() metrics.Stats {
	sent, received := t.Totals()
	return metrics.Stats{TotalOut: sent, TotalIn: received}
}

func (t *Traffic) Reset()             { t.sent.Store(0); t.received.Store(0) }
func (t *Traffic) TrimIdle(time.Time) {}
