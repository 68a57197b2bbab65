package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/rpc"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	maxAddresses     = 8 // of a member that are dialled
	timeQuestions    = 3 // the fastest reply tells the time best
	dialBackPatience = 5 // times as long as for another answer, for the member tries several addresses
)

// A caller asks one member.
type caller struct {
	host    host.Host
	self    string
	member  ledger.Member
	id      peer.ID
	timeout time.Duration // for each answer
	// standing and record read this node's history; it goes on while members are asked.
	standing func() (Standing, []cid.Cid, error)
	record   func(round uint64) ([]byte, error)
}

// facts are what one member and the ways to it showed.
type facts struct {
	reach   ReachFacts
	offset  *Offset // nil when it did not reply
	seen    []Seen
	agree   *AgreementFacts // nil when it did not reply
	unasked string          // why agree is nil
}

// call dials every address of the member and asks over the first that answers; failing that, over a connection that is there.
func (c *caller) call(ctx context.Context, reach ReachFacts) facts {
	f := facts{reach: reach, unasked: "it was not reached"}
	visit := c.dialAll(ctx, &f)
	for _, conn := range c.host.Network().ConnsToPeer(c.id) {
		f.reach.Inbound = f.reach.Inbound || conn.Stat().Direction == network.DirInbound
	}
	if visit == nil && f.reach.Hung == "" {
		visit = c.connected(ctx, &f)
	}
	if visit == nil {
		f.reach.InErr = fmt.Sprintf("%s cannot be asked to dial you", c.member.Name)
		return f
	}
	defer visit.Close()
	c.compare(ctx, visit, &f)
	c.dialBack(ctx, visit, &f)
	return f
}

// dialAll returns the first visit over which the member answers, or nil.
func (c *caller) dialAll(ctx context.Context, f *facts) (visit *rpc.Visit) {
	for _, text := range c.addresses() {
		path, v := c.dial(ctx, text, f)
		f.reach.Out = append(f.reach.Out, path)
		switch {
		case v == nil:
		case visit == nil && c.greet(ctx, v, f, timeQuestions):
			visit = v
		default:
			if visit != nil {
				c.greet(ctx, v, f, 1) // for the address it sees
			}
			v.Close()
		}
	}
	if visit != nil {
		f.reach.Hung = ""
	}
	return visit
}

// addresses returns those of the list of members, QUIC first: its connection shows the port that is listened on.
func (c *caller) addresses() []string {
	list := slices.Clone(c.member.Addresses[:min(len(c.member.Addresses), maxAddresses)])
	slices.SortStableFunc(list, func(a, b string) int { return strings.Compare(transportOf(a), transportOf(b)) })
	return list
}

func (c *caller) dial(ctx context.Context, text string, f *facts) (Path, *rpc.Visit) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	path := Path{From: c.self, To: c.member.Name, Address: text, Transport: transportOf(text)}
	at, err := ma.NewMultiaddr(text)
	if err != nil {
		path.Outcome = p2p.Unsupported
		return path, nil
	}
	start := time.Now()
	v, err := rpc.VisitAt(ctx, c.host, c.id, at)
	path.Took = time.Since(start)
	if errors.Is(err, rpc.ErrNotServed) {
		path.Outcome, f.reach.Hung = p2p.Reached, rpc.ErrNotServed.Error()
		return path, nil
	}
	path.Outcome = p2p.OutcomeOf(err)
	if err != nil {
		return path, nil
	}
	path.Took = v.Took
	return path, v
}

// greet puts questions to the member and says whether it serves. Several tell the time better.
func (c *caller) greet(ctx context.Context, v *rpc.Visit, f *facts, questions int) bool {
	for range questions {
		asked := time.Now()
		reply, err := c.examine(ctx, v)
		if status.Code(err) == codes.Unimplemented {
			f.unasked = "its version of fedlam does not know the question"
			return true
		}
		if err != nil {
			f.reach.Hung = plain(status.Convert(err).Message())
			return false
		}
		c.take(reply, asked, time.Since(asked), f)
	}
	return true
}

func (c *caller) examine(ctx context.Context, v *rpc.Visit) (*peerpb.ExamineReply, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return v.Examine(ctx)
}

// connected asks over a connection that somebody opened before.
func (c *caller) connected(ctx context.Context, f *facts) *rpc.Visit {
	within, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	v, err := rpc.VisitConnected(within, c.host, c.id)
	if err != nil {
		return nil
	}
	if !c.greet(ctx, v, f, timeQuestions) {
		v.Close()
		return nil
	}
	return v
}

// longest bounds offsets, so that sums of lies do not overflow.
const longest = time.Duration(1) << 60

// take keeps what a reply says.
func (c *caller) take(reply *peerpb.ExamineReply, asked time.Time, took time.Duration, f *facts) {
	middle := asked.Add(took / 2)
	o := Offset{Member: c.member.Name, Ahead: min(max(time.Unix(0, reply.Time).Sub(middle), -longest), longest), Within: took / 2}
	if f.offset == nil || o.Within < f.offset.Within {
		f.offset = &o
	}
	if at, err := ma.NewMultiaddrBytes(reply.Observed); err == nil && !slices.ContainsFunc(f.seen, func(s Seen) bool { return s.Address.Equal(at) }) {
		f.seen = append(f.seen, Seen{c.member.Name, at})
	}
}

// standingFrom reads what a member says of itself.
func standingFrom(r *peerpb.ExamineReply) (s Standing, err error) {
	cids := func(dst *cid.Cid, data []byte) {
		c, failed := cid.Cast(data)
		*dst, err = c, errors.Join(err, failed)
	}
	cids(&s.Genesis, r.Genesis)
	cids(&s.Epoch, r.Epoch)
	cids(&s.Weights, r.Head.GetWeights())
	if s.Finished = r.Head.GetFinished(); s.Finished > 0 {
		cids(&s.Record, r.Head.GetRecord())
	}
	s.Software = plain(r.Software)
	if err != nil {
		return s, errors.New("its reply names no documents")
	}
	return s, nil
}

// plain makes text of a stranger fit for a terminal.
func plain(text string) string {
	const most = 200
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "..."
	}
	return text
}

// dialBack asks the member to dial this node.
func (c *caller) dialBack(ctx context.Context, v *rpc.Visit, f *facts) {
	ctx, cancel := context.WithTimeout(ctx, dialBackPatience*c.timeout)
	defer cancel()
	attempts, err := v.DialBack(ctx)
	if err != nil {
		f.reach.InErr = fmt.Sprintf("%s did not dial back: %s", c.member.Name, plain(status.Convert(err).Message()))
		return
	}
	f.reach.Behind = len(attempts) > 0
	for _, a := range attempts {
		address := plain(a.Address)
		f.reach.In = append(f.reach.In, Path{From: c.member.Name, To: c.self, Address: address, Transport: transportOf(address),
			Outcome: rpc.OutcomeFrom(a.Outcome), Took: time.Duration(max(a.Nanoseconds, 0))})
		if at, err := ma.NewMultiaddr(address); err == nil && slices.ContainsFunc(c.host.Addrs(), func(own ma.Multiaddr) bool { return ipOf(own) == ipOf(at) }) {
			f.reach.Behind = false
		}
	}
}

// compare asks for the member's standing, looks at one's own in the same moment, and fetches what is needed to tell whether both have
// the same history.
func (c *caller) compare(ctx context.Context, v *rpc.Visit, f *facts) {
	ctx, cancel := context.WithTimeout(ctx, 2*c.timeout)
	defer cancel()
	reply, err := c.examine(ctx, v)
	if err != nil {
		if status.Code(err) != codes.Unimplemented {
			f.unasked = plain(status.Convert(err).Message())
		}
		return
	}
	theirs, err := standingFrom(reply)
	if err != nil {
		f.unasked = err.Error()
		return
	}
	ours, epochs, err := c.standing()
	f.agree = &AgreementFacts{Member: c.member.Name, Ours: ours, Theirs: theirs, RecordErr: err}
	if err == nil {
		f.agree.Epochs = epochs
	}
	common := min(ours.Finished, theirs.Finished)
	if err != nil || common == 0 || !ours.Genesis.Equals(theirs.Genesis) {
		return
	}
	f.agree.OurRecord, f.agree.TheirRecord, f.agree.RecordErr = c.records(ctx, v, ours.Genesis, common-1)
}

// records returns the CIDs of both records of a round.
func (c *caller) records(ctx context.Context, v *rpc.Visit, genesis cid.Cid, round uint64) (ours, theirs cid.Cid, err error) {
	own, err := c.record(round)
	if err != nil {
		return cid.Undef, cid.Undef, err
	}
	sent, err := v.Record(ctx, genesis.Bytes(), round)
	if err != nil {
		return cid.Undef, cid.Undef, errors.New(plain(status.Convert(err).Message()))
	}
	return ledger.CIDOf(own), ledger.CIDOf(sent), nil
}
