package p2p_test

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/libp2p/go-libp2p/core/crypto"
	libp2ptls "github.com/libp2p/go-libp2p/p2p/security/tls"
)

// The TLS that both transports use agrees on keys by X25519 with ML-KEM-768, so that a recording does not open to a quantum
// computer. libp2p leaves the choice to Go's defaults; this test notices when either changes its mind.
func TestKeyExchangeIsPostQuantum(t *testing.T) {
	var configs [2]*tls.Config
	for i, name := range []string{"a", "b"} {
		k, err := crypto.UnmarshalEd25519PrivateKey(key(name))
		if err != nil {
			t.Fatal(err)
		}
		identity, err := libp2ptls.NewIdentity(k)
		if err != nil {
			t.Fatal(err)
		}
		configs[i], _ = identity.ConfigForPeer("")
	}
	left, right := net.Pipe()
	defer left.Close()
	defer right.Close()
	client, server := tls.Client(left, configs[0]), tls.Server(right, configs[1])
	failed := make(chan error, 1)
	go func() { failed <- server.HandshakeContext(t.Context()) }()
	if err := client.HandshakeContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if s := client.ConnectionState(); s.CurveID != tls.X25519MLKEM768 || s.Version != tls.VersionTLS13 {
		t.Errorf("agreed on %v with TLS %#x, want X25519MLKEM768 with TLS 1.3", s.CurveID, s.Version)
	}
}
