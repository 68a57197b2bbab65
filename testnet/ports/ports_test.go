package ports

import (
	"net"
	"testing"
)

func TestFind(t *testing.T) {
	seen := map[int]bool{}
	for _, n := range []int{0, 6, 40, 6} { // at the same time
		p, err := Find(n)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		if len(p.List) != n {
			t.Errorf("%d ports, want %d", len(p.List), n)
		}
		for _, port := range p.List {
			if port < lowest || port >= beyond || seen[port] {
				t.Errorf("port %d among %v", port, p.List)
			}
			seen[port] = true
			if !unused(port) {
				t.Errorf("a node cannot listen on port %d", port)
			}
		}
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if port := l.Addr().(*net.TCPAddr).Port; unused(port) {
		t.Errorf("port %d is in use", port)
	}
}
