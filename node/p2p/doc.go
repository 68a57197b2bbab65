// Package p2p makes the two libp2p hosts of a node.
//
// New makes the host that members reach: QUIC and TCP, TLS 1.3 only (Go's default key exchange is X25519MLKEM768, so a
// recording of today's traffic stays closed to a quantum computer of tomorrow; Noise is left out because it is not), and a
// connection gater that ends a connection at the handshake unless the other end proved a member's key. NewPublic makes
// the host that anyone may reach to download certified artefacts; it has a key, ports and much tighter limits of its own,
// accepts and never dials.
//
// Both set limits per system, connection, protocol and peer, so that no peer can make a node keep more than a bounded
// number of connections, streams and bytes. Neither speaks ping or, unless asked to, relay, hole punching or address discovery:
// members list their addresses on their cards.
//
// A member whose computer cannot be called from outside sets NAT, and one that everybody can reach sets Relay for it (circuit
// relay v2). A relay serves members only, carries what TLS between the two ends has encrypted, and the two ends hold each other
// against the allow-list as on any connection.
//
// A Tap, for tests only, sees every byte that crosses a TCP connection after decryption and before encryption: all
// streams, all protocols. With a Tap QUIC is off, because there the encryption is inside the transport.
package p2p
