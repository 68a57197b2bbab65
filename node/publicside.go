package node

import (
	"errors"

	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/public"
	"github.com/libp2p/go-libp2p/core/host"
)

// publicSide is the host that anyone may read from.
type publicSide struct {
	host     host.Host
	exchange *blocks.Exchange
}

func openPublic(h *home.Home, store *blocks.Store, x *index) (*publicSide, error) {
	host, err := p2p.NewPublic(p2p.PublicConfig{Key: h.Public, Listen: h.Config.Public.Listen})
	if err != nil {
		return nil, err
	}
	public.Serve(host, x)
	return &publicSide{host, blocks.NewExchange(host, blocks.ExchangeConfig{Store: store, Direction: blocks.ServeOnly})}, nil
}

func (p *publicSide) Close() error { return errors.Join(p.exchange.Close(), p.host.Close()) }

func (n *Node) publicAddresses() []string {
	if n.public == nil {
		return nil
	}
	return p2p.Addresses(n.public.host)
}
