package pull

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

const connectTimeout = 20 * time.Second

// connect reaches the first of the nodes that answers.
func connect(ctx context.Context, cfg Config) (*visit, error) {
	servers, err := parse(cfg.From)
	if err != nil {
		return nil, err
	}
	_, key, err := ed25519.GenerateKey(cfg.Random)
	if err != nil {
		return nil, fmt.Errorf("make a key for the visit: %w", err)
	}
	h, err := p2p.NewReader(key)
	if err != nil {
		return nil, err
	}
	v := &visit{cfg: cfg, host: h}
	if v.server, err = reach(ctx, h, servers); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if v.store, err = blocks.Open(blocks.Config{Dir: filepath.Join(cfg.Out, partialFolder)}); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	v.exchange = blocks.NewExchange(h, blocks.ExchangeConfig{Store: v.store, Direction: blocks.FetchOnly})
	return v, nil
}

// parse reads addresses that end in /p2p/ and a peer id; several may be of one node.
func parse(addresses []string) ([]peer.AddrInfo, error) {
	var list []ma.Multiaddr
	for _, text := range addresses {
		a, err := ma.NewMultiaddr(text)
		if err == nil {
			_, err = peer.AddrInfoFromP2pAddr(a)
		}
		if err != nil {
			return nil, fmt.Errorf("address %q: %w; it should look like /ip4/192.0.2.1/tcp/4102/p2p/12D3KooW..., as `fedlam status` of that node prints it", text, err)
		}
		list = append(list, a)
	}
	if len(list) == 0 {
		return nil, errors.New("no address to pull from")
	}
	return peer.AddrInfosFromP2pAddrs(list...)
}

func reach(ctx context.Context, h host.Host, servers []peer.AddrInfo) (peer.ID, error) {
	var errs []error
	for _, s := range servers {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		err := h.Connect(ctx, s)
		cancel()
		if err == nil {
			return s.ID, nil
		}
		errs = append(errs, err)
	}
	return "", fmt.Errorf("no node can be reached; is the public side turned on there ([public] enabled = true)? %w", errors.Join(errs...))
}

// Close ends the visit.
func (v *visit) Close() error { return errors.Join(v.exchange.Close(), v.host.Close()) }

var _ io.Closer = (*visit)(nil)
