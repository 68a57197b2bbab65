package proc_test

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/testnet/netlab"
	"github.com/fedlam/fedlam/testnet/proc"
)

// address is the public one of a member, as the genesis of these federations says.
func address(i int) netip.Addr { return netip.AddrFrom4([4]byte{66, 0, 0, byte(i + 1)}) }

// apart are addresses for members in networks of their own.
func apart(*testing.T) (sites []site) {
	for i := range names {
		sites = append(sites, at(address(i)))
	}
	return sites
}

func at(a netip.Addr) site {
	return site{fmt.Sprintf("/ip4/%s/udp/4101/quic-v1", a), fmt.Sprintf("/ip4/%s/tcp/4102", a)}
}

// A world is a federation whose members are in networks of their own.
type world struct {
	*cluster
	lab   *netlab.Lab
	sites []*netlab.Site
}

// newWorld puts the first members at their public addresses, and as many as there are mappings behind NATs at those.
func newWorld(t *testing.T, nats ...netlab.Mapping) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("runs processes that train and wait for each other")
	}
	lab, err := netlab.New(netlab.Config{Seed: 1})
	if errors.Is(err, netlab.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lab.Close() })
	w := &world{cluster: openCluster(t, copyTemplate(t, "apart", apart)), lab: lab}
	for i, m := range w.members {
		s, err := w.place(i, nats)
		if err != nil {
			t.Fatal(err)
		}
		if m.group, err = proc.NewGroup(proc.Config{LogDir: filepath.Join(w.dir, "logs"), Thread: s.Enter}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(m.group.Close)
		w.sites = append(w.sites, s)
	}
	return w
}

func (w *world) place(i int, nats []netlab.Mapping) (*netlab.Site, error) {
	k := i - (len(w.members) - len(nats))
	if k < 0 {
		return w.lab.Join(address(i))
	}
	nat, err := w.lab.NAT(address(i), nats[k])
	if err != nil {
		return nil, err
	}
	inner := netip.AddrFrom4([4]byte{100, 64, byte(i), 1})
	configure(w.T, w.members[i].dir, func(c *home.Config) {
		c.Listen, c.Public.Listen = []string{at(inner).member}, []string{at(inner).public}
	})
	return nat.Join(inner)
}

func TestLossAndDelay(t *testing.T) {
	w := newWorld(t)
	for _, s := range w.sites {
		s.SetLink(netlab.Link{Loss: 0.05, Delay: 25 * time.Millisecond})
	}
	w.start()
	w.reach(4, w.members...)
	w.judge(1)
}

func TestSlowUplink(t *testing.T) {
	w := newWorld(t)
	w.sites[2].SetLink(netlab.Link{Up: 1e6 / 8})
	w.start()
	w.reach(6, w.members...)
	w.judge(0)
}

func TestPartition(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.reach(2, w.members...)
	w.sites[3].SetLink(netlab.Link{Cut: true})
	w.reach(w.newest()+2, w.members[:3]...)
	w.sites[2].SetLink(netlab.Link{Cut: true})
	was := w.newest() + 1 // a round may have been certified already
	over := time.NewTimer(5 * time.Second)
	defer over.Stop()
	<-over.C
	if n := w.newest(); n > was {
		t.Errorf("%d rounds are certified, and no more than %d members have been together since round %d", n, 2, was)
	}
	for _, s := range w.sites {
		s.SetLink(netlab.Link{})
	}
	w.reach(w.newest()+2, w.members...)
	w.judge(3)
}
