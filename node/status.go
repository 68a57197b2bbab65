package node

import (
	"context"
	"log/slog"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
)

// owner is the Node as seen by its owner's tools.
type owner Node

var _ local.Source = (*owner)(nil)

// Stop implements local.Source.
func (o *owner) Stop() { (*Node)(o).Stop() }

// Status implements local.Source.
func (o *owner) Status() *localpb.StatusReply {
	n := (*Node)(o)
	s := n.status.Load()
	sent, received := n.traffic.Totals()
	r := n.roster.Load()
	reply := &localpb.StatusReply{
		Name: n.cfg.Home.Config.Name, Member: n.id().String(), Genesis: n.genesis.CID().String(),
		Finished: s.Finished, Activity: s.Activity, Weights: s.Weights.String(), Addresses: n.addresses(), PublicAddresses: n.publicAddresses(),
		BytesSent: uint64(sent), BytesReceived: uint64(received), Uptime: time.Since(n.started).Seconds(),
	}
	if s.Finished > 0 {
		reply.Record, reply.Certificate = s.Record.String(), s.Certificate.String()
	}
	for i, m := range r.epoch.Members {
		reply.Members = append(reply.Members, &localpb.Member{Name: m.Name, Member: m.ID.String(),
			Connected: i == r.self || n.network.Connected(r.members[m.ID])})
	}
	for _, h := range n.trainer.Heads() {
		reply.Heads = append(reply.Heads, &localpb.Head{Key: h.Key, TrainingFrames: uint64(h.Training), ValidationFrames: uint64(h.Validation)})
	}
	return reply
}

// levels translates what the machine tells.
var levels = map[federation.Level]slog.Level{
	federation.Debug: slog.LevelDebug, federation.Info: slog.LevelInfo, federation.Warning: slog.LevelWarn, federation.Alarm: slog.LevelError,
}

// progress logs what the machine tells, and passes it to who follows the local API.
func (n *Node) progress(a federation.Progress) {
	attrs := []slog.Attr{slog.Uint64("round", a.Round)}
	for key, value := range a.Details {
		attrs = append(attrs, slog.String(key, value))
	}
	n.log.LogAttrs(context.Background(), levels[a.Level], a.Text, attrs...)
}
