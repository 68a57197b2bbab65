// Package proto is the book of what travels on a wire; the messages themselves are in its subpackages peerpb (member to
// member, and the public reading side) and localpb (a node and its owner).
//
// # Layers
//
//	signed envelope          federation, federation/ledger     who said what, in which session
//	gRPC message             peerpb                             carries envelopes as opaque bytes
//	HTTP/2 frames            gRPC
//	libp2p stream            /fedlam/peer/1                     one multiplexed stream per direction and member
//	QUIC or yamux over TCP
//	TLS 1.3                  X25519MLKEM768                     proves the Ed25519 identity of both ends
//
// A layer never trusts the one above it: the identity proven by TLS says who *carried* an envelope, the signature inside
// says who *wrote* it, and the two may differ, because a coordinator relays.
//
// # Streams
//
//	/fedlam/peer/1           gRPC, service Peer; refused before the first byte unless the other end is a member
//	/ipfs/bitswap/1.2.0      blocks by CID: certified weights, round records, certificates, the genesis; nothing else is in
//	                         the block store
//	/fedlam/head/1           public side only: one FindRequest, one FindReply, each with a varint length before it
//
// The public side is a second libp2p host with a key, ports and limits of its own; it knows no member and offers the
// last two protocols to anyone. The local API is gRPC on a Unix socket in the node's directory, mode 0600.
//
// # Limits
//
// Checked before memory is taken for what they bound:
//
//	envelope                          1 MiB; chunks of masked input are 256 KiB and a signature of overhead
//	gRPC message                      1 MiB + 4 KiB
//	gRPC streams per member           16 at a time
//	finished rounds in one Sync       1024; ask again after the last one for more
//	round record, certificate, epoch  1 MiB each
//	DialBack                          8 addresses, those of the genesis, in no private network but the caller's; 6 times a
//	                                  minute for each member
//	FindRequest, FindReply            256 B, 4 MiB
//	block                             1 MiB (Bitswap refuses more than 2 MiB)
//
// # Signatures
//
// Nothing in these messages is signed by itself. The signed bytes of an envelope begin with the domain
// "fedlam/v1/<type>" and are defined by package federation/ledger; round records are signed through their CID. What is
// not signed (Hello, Head, FindReply) is a hint: the receiver fetches the blocks it names and proves them.
//
// # Changing it
//
// Field numbers are never reused. A change that an older node would misread gets a new protocol id (/fedlam/peer/2).
// The generated files are made by the next line and committed.
package proto

//go:generate go tool -modfile=../tools.mod buf generate
