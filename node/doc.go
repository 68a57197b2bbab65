// Package node is a member of a federation as a running program: it drives the pure state machine of package federation with a
// real clock, disk, network and trainer.
//
// # Parts
//
//	home       the folder: node.toml, keys, genesis          founding   the documents a federation starts from
//	wal        durable log                                   blocks     public artefacts, Bitswap
//	p2p        libp2p hosts, allow-list, limits              rpc        service between members
//	public     anyone may ask for certificates               local      the owner's API on a Unix socket
//	silo       private data, training                        disk       atomic files, full disks explained
//	doctor     what is wrong, and what to do about it
//	transcript messages of finished rounds, if wanted
//
// # The loop
//
// One goroutine owns the machine. Events reach it through a mailbox: ticks of the clock, envelopes, answers of the trainer
// and of fetches. It carries out the actions of each step in order, and goes on only when what must be durable is:
// a node that cannot write its log stops with the reason, having sent nothing that the log does not know. Sending,
// fetching and training happen in goroutines that the node owns and Close waits for. The trainer works on one thing at a time.
//
// Whom the node talks to is its roster, which changes with the epochs while it runs: the gater, the services and Bitswap follow. Who is to join may read,
// who has left may for one more round, and neither may speak.
//
// What other members and strangers send is handed on as bytes; the machine checks it.
//
// # Stopping and starting again
//
// When the context of Run ends the node stops training, gives the members up to three seconds to take what is queued, and
// closes. Killed instead, it loses at most what the log does not hold; started again it continues from the last
// certified round.
//
// # Test hooks
//
// For tests of faults only, from the environment (see Hooks): FEDLAM_CRASH=mask:3 kills the process, as kill -9 would, at
// the moment it is about to send its first message of step mask in round 3; FEDLAM_PAUSE=mask:3:5s makes it stand still there
// for five seconds; FEDLAM_TAP=DIR records what crosses its sockets in plain (and turns QUIC off);
// FEDLAM_WITNESS=DIR writes the lanes that this node adds to each secure sum, unmasked, to a file named by the session, so that
// who holds all members in one hand can check the sums. Steps are keys, shares, confirm, mask, survivors, unmask, prepare and sign.
package node
