package netlab_test

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"runtime"
	"testing"

	"github.com/fedlam/fedlam/testnet/netlab"
)

func newLab(t *testing.T) *netlab.Lab {
	t.Helper()
	lab, err := netlab.New(netlab.Config{Seed: 1})
	if errors.Is(err, netlab.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { lab.Close() })
	return lab
}

// in runs f in a site, on a thread that ends with it.
func in[T any](t *testing.T, s *netlab.Site, f func() (T, error)) T {
	t.Helper()
	type result struct {
		v   T
		err error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		if err := s.Enter(); err != nil {
			done <- result{err: err}
			return
		}
		v, err := f()
		done <- result{v, err}
	}()
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.v
}

func TestSitesTalk(t *testing.T) {
	before := interfaces(t)
	lab := newLab(t)
	a, err := lab.Join(netip.MustParseAddr("66.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lab.Join(netip.MustParseAddr("66.0.0.1")); !errors.Is(err, netlab.ErrAddress) {
		t.Errorf("an address was given twice: %v", err)
	}
	if _, err := lab.Join(netip.MustParseAddr("192.0.2.1")); !errors.Is(err, netlab.ErrAddress) {
		t.Errorf("an address out of reach was given: %v", err)
	}
	home, err := lab.NAT(netip.MustParseAddr("66.0.0.2"), netlab.Cone)
	if err != nil {
		t.Fatal(err)
	}
	b, err := home.Join(netip.MustParseAddr("100.64.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	a.SetLink(netlab.Link{Loss: 0.05})
	listener := in(t, a, func() (net.Listener, error) { return net.Listen("tcp4", "66.0.0.1:4000") })
	defer listener.Close()
	caller := make(chan string, 1)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		caller <- c.RemoteAddr().String()
		io.Copy(c, c)
	}()
	c := in(t, b, func() (*net.TCPConn, error) {
		return net.DialTCP("tcp4", nil, net.TCPAddrFromAddrPort(netip.MustParseAddrPort("66.0.0.1:4000")))
	})
	defer c.Close()
	if got := <-caller; got != "66.0.0.2:20000" {
		t.Errorf("called by %s, want the NAT's address", got)
	}
	sent := make([]byte, 200<<10)
	for i := range sent {
		sent[i] = byte(i * i >> 3)
	}
	go func() {
		c.Write(sent)
		c.CloseWrite()
	}()
	if got, err := io.ReadAll(c); err != nil || string(got) != string(sent) {
		t.Errorf("got %d bytes back, %v", len(got), err)
	}
	if after := interfaces(t); after != before {
		t.Errorf("this computer's interfaces have changed from %s to %s", before, after)
	}
}

// interfaces lists those of the computer itself.
func interfaces(t *testing.T) (out string) {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range all {
		out += " " + i.Name
	}
	return out
}
