package blocks

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ipfs/boxo/bitswap"
	"github.com/ipfs/boxo/bitswap/network/bsnet"
	bitswapserver "github.com/ipfs/boxo/bitswap/server"
	boxoexchange "github.com/ipfs/boxo/exchange"
	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipldformat "github.com/ipfs/go-ipld-format"
	"github.com/libp2p/go-libp2p/core/host"
)

// ErrSilent says that connected peers sent none of the wanted blocks for longer than ExchangeConfig.Patience.
var ErrSilent = errors.New("no wanted block arrived")

// Direction says what an Exchange does with blocks.
type Direction int

const (
	Both      Direction = iota // answer others and ask them
	ServeOnly                  // answer only
	FetchOnly                  // ask only
)

// ExchangeConfig describes an Exchange.
type ExchangeConfig struct {
	// Store is served, and keeps what is fetched.
	Store *Store
	// Direction is Both by default.
	Direction Direction
	// Patience is how long Fetch waits for the next block; default one minute.
	Patience time.Duration
	// PerPeer is how many wants of one peer are queued at most; default 1024.
	PerPeer uint
}

// Exchange trades blocks over the connections of a libp2p host. Close ends it before the host is closed.
type Exchange struct {
	cfg    ExchangeConfig
	client *bitswap.Bitswap      // nil when Direction is ServeOnly
	server *bitswapserver.Server // nil unless Direction is ServeOnly
	cancel context.CancelFunc
	net    interface{ Stop() }
}

// NewExchange puts cfg.Store on h.
func NewExchange(h host.Host, cfg ExchangeConfig) *Exchange {
	if cfg.Patience <= 0 {
		cfg.Patience = time.Minute
	}
	if cfg.PerPeer == 0 {
		cfg.PerPeer = 1024
	}
	ctx, cancel := context.WithCancel(context.Background())
	net := bsnet.NewFromIpfsHost(h)
	x := &Exchange{cfg: cfg, cancel: cancel, net: net}
	if cfg.Direction == ServeOnly {
		x.server = bitswapserver.New(ctx, net, cfg.Store, bitswapserver.MaxQueuedWantlistEntriesPerPeer(cfg.PerPeer),
			bitswapserver.MaxCidSize(64), bitswapserver.TaskWorkerCount(2), bitswapserver.EngineBlockstoreWorkerCount(4))
		net.Start(x.server)
		return x
	}
	x.client = bitswap.New(ctx, net, nil, cfg.Store, bitswap.WithServerEnabled(cfg.Direction == Both),
		bitswap.MaxQueuedWantlistEntriesPerPeer(cfg.PerPeer), bitswap.MaxCidSize(64))
	return x
}

// Close stops asking and answering.
func (x *Exchange) Close() error {
	defer x.cancel()
	if x.client != nil {
		return x.client.Close()
	}
	x.net.Stop()
	x.server.Close()
	return nil
}

// Fetch hands over blocks, those of the store first, and keeps the others in the store as they arrive.
func (x *Exchange) Fetch(ctx context.Context, cids []cid.Cid, take func(blockformat.Block) error) error {
	return x.Session(ctx).Fetch(ctx, cids, take)
}

// Session returns a Fetcher for many related blocks, such as those of one file: it remembers who had the first ones.
// It ends with ctx.
func (x *Exchange) Session(ctx context.Context) Fetcher {
	if x.client == nil {
		return x.cfg.Store
	}
	return &session{x, x.client.NewSession(ctx)}
}

type session struct {
	*Exchange
	remote boxoexchange.Fetcher
}

func (s *session) Fetch(ctx context.Context, cids []cid.Cid, take func(blockformat.Block) error) error {
	var missing []cid.Cid
	for _, c := range cids {
		b, err := s.cfg.Store.Get(ctx, c)
		if ipldformat.IsNotFound(err) {
			missing = append(missing, c)
			continue
		}
		if err != nil {
			return err
		}
		if err := take(b); err != nil {
			return err
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return s.ask(ctx, missing, take)
}

func (s *session) ask(ctx context.Context, missing []cid.Cid, take func(blockformat.Block) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arriving, err := s.remote.GetBlocks(ctx, missing)
	if err != nil {
		return err
	}
	silence := time.NewTimer(s.cfg.Patience)
	defer silence.Stop()
	for left := len(missing); left > 0; left-- {
		select {
		case b, ok := <-arriving:
			if !ok {
				return errors.Join(ctx.Err(), fmt.Errorf("%w: %d of %d", ErrMissing, left, len(missing)))
			}
			if err := s.cfg.Store.Put(ctx, b); err != nil {
				return err
			}
			if err := take(b); err != nil {
				return err
			}
			silence.Reset(s.cfg.Patience)
		case <-silence.C:
			return fmt.Errorf("%w for %s: %d of %d are missing", ErrSilent, s.cfg.Patience, left, len(missing))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

var _ Fetcher = (*Exchange)(nil)
