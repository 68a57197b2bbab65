package node

import (
	"context"
	"log/slog"

	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
)

// publisher is a slog.Handler that passes records to who follows the local API.
type publisher struct {
	server *local.Server
	attrs  []slog.Attr
	prefix string
}

var _ slog.Handler = (*publisher)(nil)

func (p *publisher) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (p *publisher) Handle(_ context.Context, r slog.Record) error {
	e := &localpb.ProgressEvent{Time: r.Time.UnixNano(), Level: r.Level.String(), Message: r.Message, Details: map[string]string{}}
	add := func(a slog.Attr) bool {
		e.Details[p.prefix+a.Key] = a.Value.String()
		return true
	}
	for _, a := range p.attrs {
		add(a)
	}
	r.Attrs(add)
	p.server.Publish(e)
	return nil
}

func (p *publisher) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &publisher{p.server, append(append([]slog.Attr(nil), p.attrs...), attrs...), p.prefix}
}

func (p *publisher) WithGroup(name string) slog.Handler {
	return &publisher{p.server, p.attrs, p.prefix + name + "."}
}
