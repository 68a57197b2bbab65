package proc_test

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/proto/localpb"
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
	nats  []*netlab.NAT
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
	w.nats = append(w.nats, nat)
	inner := netip.AddrFrom4([4]byte{100, 64, byte(i), 1})
	configure(w.T, w.members[i].dir, func(c *home.Config) {
		c.Listen, c.Public.Listen, c.Network.NAT = []string{at(inner).member}, []string{at(inner).public}, true
	})
	return nat.Join(inner)
}

func TestLossAndDelay(t *testing.T) {
	w := newWorld(t)
	for _, s := range w.sites {
		s.SetLink(netlab.Link{Loss: 0.05, Delay: 25 * time.Millisecond})
	}
	w.start()
	w.reach(3, w.members...)
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

// TestNAT has members that nobody can call. One of them calls all others; two of them need a member that is a relay, and where
// their NATs allow it they soon talk directly.
func TestNAT(t *testing.T) {
	for _, c := range []struct {
		name   string
		nats   []netlab.Mapping
		relay  bool
		direct bool // the two behind NATs get a direct connection
	}{
		{"one", []netlab.Mapping{netlab.Symmetric}, false, false},
		{"two with a relay", []netlab.Mapping{netlab.Symmetric, netlab.Symmetric}, true, false},
		{"two with a relay and holes", []netlab.Mapping{netlab.Cone, netlab.Cone}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.nats...)
			if c.relay {
				configure(t, w.members[0].dir, func(c *home.Config) { c.Network.Relay = true })
			}
			w.start()
			w.until("connections of everybody with everybody", w.isMesh)
			w.reach(w.newest()+2, w.members...)
			if c.direct {
				w.until("a punched hole", func() bool { return w.passed() > 0 })
			} else if n := w.passed(); n > 0 {
				t.Errorf("%d packets went from NAT to NAT", n)
			}
			w.judge(1)
		})
	}
}

// isMesh says whether every member is connected to all others.
func (w *world) isMesh() bool {
	for _, m := range w.members {
		s := m.status()
		if s == nil || slices.ContainsFunc(s.Members, func(o *localpb.Member) bool { return !o.Connected }) {
			return false
		}
	}
	return true
}

// passed counts packets from one NAT to the other.
func (w *world) passed() (n int) {
	for _, nat := range w.nats {
		for i := range w.nats {
			n += nat.Passed(address(len(w.members) - 1 - i))
		}
	}
	return n
}
