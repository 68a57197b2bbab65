package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/proto/localpb"
)

// approvePatience is how long the machine may take to make the owner's consent durable.
const approvePatience = 10 * time.Second

// Epoch implements local.Source.
func (o *owner) Epoch() *localpb.EpochReply {
	s := o.status.Load()
	reply := &localpb.EpochReply{Document: s.Epoch.Encode(), Finished: s.Finished, RipeAt: s.RipeAt, IsMember: s.Member}
	for _, p := range s.Proposals {
		reply.Proposals = append(reply.Proposals, &localpb.Proposal{Document: p.Document, ApprovedBy: p.By})
	}
	return reply
}

// Approve implements local.Source.
func (o *owner) Approve(ctx context.Context, document []byte) error {
	s := o.status.Load()
	if !s.Member {
		return errors.New("this node is not a member: only members decide who the members are")
	}
	next, err := ledger.DecodeEpoch(document)
	if err == nil {
		err = s.Epoch.CheckNext(next)
	}
	if err != nil {
		return err
	}
	o.mail.post(federation.Approve{Epoch: document})
	ctx, cancel := context.WithTimeout(ctx, approvePatience)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		kept, err := o.wal.Get([]byte(federation.ApprovedKey))
		if err != nil || bytes.Equal(kept, document) {
			return err
		}
		select {
		case <-look.C:
		case <-o.done:
			return errors.New("the node is stopping; try again when it runs")
		case <-ctx.Done():
			return fmt.Errorf("the node did not take the approval of %s: its log says why", next.CID())
		}
	}
}
