package doctor

import (
	"crypto/ed25519"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/node/wal"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
)

// A Site is the node that is examined. What is missing is nil, and the error beside it says why.
type Site struct {
	// Dir is the folder of the node.
	Dir string
	// Running says that the node runs; its host, store and log are lent.
	Running bool
	// ConfigErr is why node.toml cannot be read.
	ConfigErr error
	// Listen are the listen addresses and what became of them.
	Listen []Listen

	Genesis    *ledger.Genesis
	GenesisErr error
	// Joining is the epoch with which the node becomes a member; nil for one that was listed from the start.
	Joining    *ledger.Epoch
	JoiningErr error
	Store      *blocks.Store
	// Log is nil without an error when the node has not taken part yet.
	Log    Log
	LogErr error
	// Host dials the members; without it they are not asked.
	Host    host.Host
	HostErr error
	// Software is compared with that of the members.
	Software string

	close []func() error

	mu    sync.Mutex
	chain *ledger.Chain // the rounds of the log, see follow
}

// A Log is a node's durable log, to be read.
type Log interface {
	Get(key []byte) ([]byte, error)
	Each(prefix []byte, visit func(key, value []byte) error) error
}

var _ Log = (*wal.Log)(nil)

// Open makes a Site of the folder of a node that does not run. It opens what can be opened, changes nothing, and listens where the node
// would, so that members can dial back; while it is open the node cannot be started. The caller closes it.
func Open(dir, software string) *Site {
	s := &Site{Dir: dir, Software: software}
	h, err := home.Open(dir)
	if err != nil {
		_, s.ConfigErr = home.ReadConfig(filepath.Join(dir, "node.toml"))
		s.HostErr, s.LogErr = errors.New("the node's folder is not in order; see identity"), nil
		h = &home.Home{Dir: dir}
	}
	s.openGenesis(h)
	s.openStore()
	s.openLog(h)
	if s.HostErr == nil {
		s.openHost(h)
	}
	return s
}

// Close lets go of what Open opened.
func (s *Site) Close() error {
	var errs []error
	for _, f := range slices.Backward(s.close) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}

func (s *Site) openGenesis(h *home.Home) {
	text, err := h.Genesis()
	if err == nil {
		s.Genesis, err = ledger.DecodeGenesis(text)
	}
	s.GenesisErr = err
	if text, err = h.Epoch(); err == nil && text != nil {
		s.Joining, err = ledger.DecodeEpoch(text)
	}
	s.JoiningErr = err
}

func (s *Site) openStore() {
	path := filepath.Join(s.Dir, "data", "blocks")
	if _, err := os.Stat(path); err != nil {
		return // Open would make one
	}
	if store, err := blocks.Open(blocks.Config{Dir: path}); err == nil {
		s.Store = store
	}
}

func (s *Site) openLog(h *home.Home) {
	path := filepath.Join(s.Dir, "data", "log.db")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) || s.Genesis == nil || h.Signing == nil {
		return
	}
	owner := slices.Concat(h.Signing.Public().(ed25519.PublicKey), s.Genesis.CID().Bytes())
	l, err := wal.OpenReadOnly(wal.Config{Path: path, Owner: owner})
	if err != nil {
		s.LogErr = err
		return
	}
	s.Log = l
	s.close = append(s.close, l.Close)
}

func (s *Site) openHost(h *home.Home) {
	members := map[peer.ID]bool{}
	m, _ := s.membership(h.Signing.Public().(ed25519.PublicKey)) // Examine reports the error
	for _, other := range m.others {
		if p, err := peer.Decode(other.Peer); err == nil {
			members[p] = true
		}
	}
	if s.Host, s.HostErr = p2p.New(p2p.Config{Key: h.Identity, Member: func(p peer.ID) bool { return members[p] }}); s.HostErr != nil {
		return
	}
	s.close = append(s.close, s.Host.Close)
	for _, a := range h.Config.Listen {
		s.Listen = append(s.Listen, Listen{a, p2p.Listen(s.Host, a)})
	}
}
