// Package doctor finds out why a node does not do what it should, and says what to do about it.
//
// A check is a function from facts to findings. The facts are plain values: what a file said, how long a dial took, what
// another member replied. The functions ask nobody, so that every sentence a person may read is tested with made-up facts.
//
//	Identity       keys, genesis, epoch and founding documents belong together
//	Disk           free space, time of a durable write, log
//	Ports          the node listens where its configuration says, or could
//	Clock          against the median of the other members' clocks
//	Translation    between this node and the others (NAT): none, one port for all, one for each
//	Reachability   of each member and from each member, TCP and QUIC told apart
//	Agreement      genesis, history, epoch and software of each member against one's own
//
// Who the members are, where they can be reached and whether this node is one of them is what the newest certified epoch in the node's own
// log says; no other member is believed in that.
//
// Examine gathers the facts of a Site and tells the findings as they come. A Site is a running node, which lends its host and
// log, or what Open makes of the folder of one that does not run. Every answer of a member is a hint and may be a lie; no
// finding changes anything.
package doctor
