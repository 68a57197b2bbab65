// Package rpc carries the service between members (package proto) over libp2p streams.
//
// A Network belongs to one node. For every other member it keeps a link: a gRPC connection over one libp2p stream that
// is made again, with growing pauses, whenever it breaks, and a queue of signed envelopes that are handed over in order.
// Send never blocks. A link delivers at least once: after a broken connection it repeats what was not acknowledged, and
// the receiver, whose state machine takes one message per session, type and sender, ignores the repetition. A member that
// is away for long costs a bounded queue; the oldest envelopes go first.
//
// The other end of a stream is known from its TLS identity; a member is greeted with Hello as soon as it is reached, so
// that both learn who is ahead and the one behind can Sync. Who the members are may change at any time, see SetMembers.
//
// A Visit is for questions of `fedlam doctor`: a connection of its own to one address of a member, which greets nobody. In answer a
// member tells its time and standing, and dials the caller back, at the addresses that the list of members has and within a quota.
//
// Everything received is passed to the Handler as opaque bytes within the limits of package proto. Verification is the
// business of the federation package.
package rpc
