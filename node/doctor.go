package node

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
	ma "github.com/multiformats/go-multiaddr"
)

var _ local.Patient = (*owner)(nil)

// Doctor implements local.Patient: the running node lends its host and its log, so that nothing is opened twice.
func (o *owner) Doctor(ctx context.Context, timeout time.Duration, tell func(*localpb.DoctorEvent)) {
	n := (*Node)(o)
	site := &doctor.Site{Dir: n.cfg.Home.Dir, Running: true, Genesis: n.genesis, Joining: n.hopes, Store: n.store, Log: n.wal, Host: n.host,
		Software: n.cfg.Software}
	for _, address := range n.cfg.Home.Config.Listen {
		site.Listen = append(site.Listen, doctor.Listen{Address: address, Err: n.listening(address)})
	}
	doctor.Examine(ctx, site, timeout, func(e doctor.Event) { tell(e.Message()) })
}

var errNotListening = errors.New("not listening")

// listening says whether the host listens on an address of node.toml; where that says port 0, any port will do.
func (n *Node) listening(address string) error {
	want, err := ma.NewMultiaddr(address)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(n.host.Network().ListenAddresses(), func(a ma.Multiaddr) bool { return sameSocket(want, a) }) {
		return errNotListening
	}
	return nil
}

// sameSocket compares component by component; port 0 is any port.
func sameSocket(want, got ma.Multiaddr) bool {
	return slices.EqualFunc(want, got, func(w, g ma.Component) bool {
		port := w.Protocol().Code == ma.P_TCP || w.Protocol().Code == ma.P_UDP
		return w.Protocol().Code == g.Protocol().Code && (w.Value() == g.Value() || port && w.Value() == "0")
	})
}
