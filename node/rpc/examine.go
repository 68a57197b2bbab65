package rpc

import (
	"context"
	"sync"
	"time"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/proto/peerpb"
	ma "github.com/multiformats/go-multiaddr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	maxSoftware     = 100      // bytes
	maxReply        = 16 << 10 // bytes of an answer to Examine or DialBack: 8 addresses of at most 500
	maxDialBack     = 8        // addresses
	dialBackAtOnce  = 2        // more would meet the limits on connections per member
	dialBackTimeout = 5 * time.Second
)

// Examine implements the service.
func (s *service) Examine(ctx context.Context, _ *peerpb.ExamineRequest) (*peerpb.ExamineReply, error) {
	now := time.Now()
	from, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	software := s.n.cfg.Software
	return &peerpb.ExamineReply{Genesis: s.n.cfg.Genesis, Epoch: s.n.cfg.Epoch(), Head: s.n.cfg.Handler.Head(),
		Software: software[:min(len(software), maxSoftware)], Time: now.UnixNano(), Observed: from.conn.RemoteMultiaddr().Bytes()}, nil
}

// DialBack implements the service. The caller chooses nothing: it cannot make this node dial anyone but the caller itself, at
// addresses of the list of members in force, a few times a minute.
func (s *service) DialBack(ctx context.Context, _ *peerpb.DialBackRequest) (*peerpb.DialBackReply, error) {
	from, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	done, wait := s.n.dialBacks.begin(from.peer, time.Now())
	if wait > 0 {
		return nil, status.Errorf(codes.ResourceExhausted, "asked too often; ask again in %s", wait.Round(time.Second))
	}
	defer done()
	addresses := s.n.listed(from.peer)
	reply := &peerpb.DialBackReply{Attempts: make([]*peerpb.DialBackAttempt, min(len(addresses), maxDialBack))}
	patience := attemptTimeout(ctx, len(reply.Attempts))
	var wg sync.WaitGroup
	slots := make(chan struct{}, dialBackAtOnce)
	for i := range reply.Attempts {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			reply.Attempts[i] = s.n.attempt(ctx, patience, from, addresses[i])
		})
	}
	wg.Wait()
	return reply, nil
}

// attemptTimeout shares the time that the caller waits among its addresses, so that the reply is in time whatever they do.
func attemptTimeout(ctx context.Context, addresses int) time.Duration {
	deadline, limited := ctx.Deadline()
	if !limited || addresses == 0 {
		return dialBackTimeout
	}
	turns := time.Duration((addresses + dialBackAtOnce - 1) / dialBackAtOnce)
	return min(dialBackTimeout, time.Until(deadline)*3/4/turns)
}

func (n *Network) attempt(ctx context.Context, patience time.Duration, to address, at ma.Multiaddr) *peerpb.DialBackAttempt {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	start := time.Now()
	outcome := n.tryOnce(ctx, to, at)
	took := time.Since(start)
	return &peerpb.DialBackAttempt{Address: at.String(), Outcome: outcomes[outcome], Nanoseconds: took.Nanoseconds()}
}

// tryOnce connects and hangs up. A name is resolved before it is judged, so that it cannot lead into this node's own network.
func (n *Network) tryOnce(ctx context.Context, to address, at ma.Multiaddr) p2p.Outcome {
	resolved, err := p2p.Resolve(ctx, at)
	if err != nil {
		return p2p.OutcomeOf(err)
	}
	if !p2p.Nearby(to.conn.RemoteMultiaddr(), resolved) {
		return p2p.NoRoute
	}
	c, err := p2p.Dial(ctx, n.cfg.Host, to.peer, resolved)
	if err == nil {
		c.Close()
	}
	return p2p.OutcomeOf(err)
}

// outcomes are those of package p2p on the wire.
var outcomes = map[p2p.Outcome]peerpb.DialOutcome{
	p2p.Reached:       peerpb.DialOutcome_DIAL_OUTCOME_REACHED,
	p2p.Refused:       peerpb.DialOutcome_DIAL_OUTCOME_REFUSED,
	p2p.TimedOut:      peerpb.DialOutcome_DIAL_OUTCOME_TIMEOUT,
	p2p.NoRoute:       peerpb.DialOutcome_DIAL_OUTCOME_NO_ROUTE,
	p2p.OtherIdentity: peerpb.DialOutcome_DIAL_OUTCOME_OTHER_IDENTITY,
	p2p.NoSuchName:    peerpb.DialOutcome_DIAL_OUTCOME_NO_SUCH_NAME,
	p2p.Unsupported:   peerpb.DialOutcome_DIAL_OUTCOME_UNSUPPORTED,
	p2p.DialFailed:    peerpb.DialOutcome_DIAL_OUTCOME_FAILED,
}

// OutcomeFrom reads an outcome off the wire; what it does not know is p2p.DialFailed.
func OutcomeFrom(wire peerpb.DialOutcome) p2p.Outcome {
	for outcome, w := range outcomes {
		if w == wire {
			return outcome
		}
	}
	return p2p.DialFailed
}
