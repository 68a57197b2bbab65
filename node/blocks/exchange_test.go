package blocks_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/blocks"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

func newHost(t *testing.T) host.Host {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableRelay(), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func connect(t *testing.T, from, to host.Host) {
	t.Helper()
	if err := from.Connect(t.Context(), peer.AddrInfo{ID: to.ID(), Addrs: to.Addrs()}); err != nil {
		t.Fatal(err)
	}
}

func exchange(t *testing.T, h host.Host, cfg blocks.ExchangeConfig) *blocks.Exchange {
	t.Helper()
	x := blocks.NewExchange(h, cfg)
	t.Cleanup(func() { x.Close() })
	return x
}

func TestFetchIsByteIdentical(t *testing.T) {
	for _, c := range []struct {
		name   string
		server blocks.Direction
		client blocks.Direction
	}{
		{"members", blocks.Both, blocks.Both},
		{"public side", blocks.ServeOnly, blocks.FetchOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			there, _ := open(t)
			here, _ := open(t)
			data := noise(66*leaf + 3)
			root, err := there.WriteFile(t.Context(), data)
			if err != nil {
				t.Fatal(err)
			}
			a, b := newHost(t), newHost(t)
			exchange(t, a, blocks.ExchangeConfig{Store: there, Direction: c.server})
			x := exchange(t, b, blocks.ExchangeConfig{Store: here, Direction: c.client})
			connect(t, b, a)
			got, err := blocks.FileReader{From: x.Session(t.Context()), Limit: 1 << 30}.Read(t.Context(), root)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("fetched %d bytes, %v; want %d", len(got), err, len(data))
			}
			if got, err := (blocks.FileReader{From: here, Limit: 1 << 30}).Read(t.Context(), root); err != nil || !bytes.Equal(got, data) {
				t.Errorf("not kept in the store: %d bytes, %v", len(got), err)
			}
		})
	}
}

func TestNobodyHasIt(t *testing.T) {
	there, _ := open(t)
	here, _ := open(t)
	a, b := newHost(t), newHost(t)
	exchange(t, a, blocks.ExchangeConfig{Store: there})
	x := exchange(t, b, blocks.ExchangeConfig{Store: here, Patience: 50 * time.Millisecond})
	connect(t, b, a)
	_, err := blocks.FileReader{From: x, Limit: 1}.Read(t.Context(), block(t, cid.Raw, "absent").Cid())
	if !errors.Is(err, blocks.ErrSilent) {
		t.Errorf("got %v, want ErrSilent", err)
	}
}
