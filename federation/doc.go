// Package federation is the protocol by which members improve one model round by round, as a pure state machine: events go
// in, actions come out, and there is no socket, clock, disk or randomness inside. Package secagg below it hides updates in
// sums, package ledger holds the documents that strangers can check.
//
// # Driving it
//
// A driver owns the outside world. It makes a Machine from the genesis document, the member's key and the log entries of
// earlier runs, and then, one event at a time:
//
//	for _, a := range m.Step(event) {
//		switch a := a.(type) {
//		case federation.Persist:   // fsync; nothing that follows may happen before
//		case federation.Broadcast: // queue the envelopes for all other members
//		case federation.Train:     // start Trainer.Train; the outcome comes back as a Trained event
//		...
//		}
//	}
//
// The first event is a Tick, and Ticks go on several times a second. Messages may be lost, repeated and reordered; a
// member may be killed between any two actions and started again from its log.
//
// # A round, as its members see it
//
//	training      every member trains on its own data, from the certified weights; in the setup round it adds up statistics
//	ready         it says so (join); when all have, or a quorum and the grace is over, the coordinator names the roster
//	keys, shares, confirmation
//	              of one secagg session for the trunk and one for each shared head; nothing private has left yet
//	masked        every member sends its masked update, after its root is in the durable log: to all, or each chunk to its owners
//	              (Rules.Owners), who say what they hold
//	heads         the coordinator names whose inputs are summed; members of each head agree and open its sum
//	final         the coordinator names whose inputs are summed in the trunk, and the heads that are open
//	agreement     members state the same list; with a quorum of equal statements they open their shares of the trunk
//	norms         with the rule for it, members publish sketches that tell how long each update is; who contradicts another about the mask that
//	              they share is found by opening that one mask (norms.go, settle.go)
//	sums          owners tell the sums of their chunks; every member audits some of those that it would have to believe
//	canaries      members have the new weights tried on the canary sets that the genesis names, if any (canary.go)
//	voting        everybody who holds the messages computes the sum, the outer step and the record, and votes for it in two phases;
//	              a quorum of second votes is the certificate (ballot.go)
//
// A quorum is floor(2n/3)+1 of all n members of the epoch. The coordinator, another one in every attempt, decides who is in the
// roster and in the sums and nothing else. Every message is signed and, but for chunks that have owners (owners.go), sent to all, so
// everybody, spectators too, has the public transcript, and whoever lacks a part asks for it (sync). When an attempt does not go on, because a member left
// or a deadline passed, the next one begins with the next coordinator; this costs nothing but time while no shares were opened.
//
// The setup round is the first; it succeeds once. It sums environment statistics, normal equations for the energy
// references of each head, and how many members have each element, exactly. In training rounds, rows of elements of which fewer
// holders than the minimum could remain when as many members are away as a sum can do without (stream.go, leastHolders) are not part of the vector,
// and heads with fewer members than the minimum are not summed at all: they stay where they are.
//
// With the rules cohorts and robust, members of a sum are divided at random once a round, each cohort is summed apart inside the one session, and a
// robust rule over the means of the cohorts takes the place of the mean; see cohorts.go and package robust.
//
// With the rule fragments, a training round sums one of several parts of the trunk in turn, and the heads. Local training is not begun anew in
// each round then but goes on, also while sums are made; see Streamer and fragment.go.
//
// # What members promise, and how rounds end
//
// The log holds promises, each durable before it is acted on, and the rules that keep them:
//
//   - A member says nothing in an attempt of an earlier life but that it left: masks are never made twice under one session.
//   - A head's shares are opened in one attempt per round. Heads open before the trunk, so that one that loses a member keeps its
//     weights and holds nobody up.
//   - The trunk's shares are opened in one attempt per round: the round is consumed. Since opening takes a quorum of all
//     members, no two sums of one round are ever opened.
//   - A member that saw others open the trunk, cannot do so itself and waited in vain forfeits: it will not open any in this round.
//     When more have forfeited than a quorum can miss, no sum can exist, and all vote for the void record: weights as
//     before, the next round begins. An opened sum that is of no use (weights of zero, proven fraud) is void in the same
//     way, since everybody who opens it finds the same. Members whose canary sets speak
//     against the new weights vote for the void record too. When none of this is so and yet nobody has a sum in time, because all were
//     switched off in the middle, members promise to open no more and vote for the void record in the next view.
//   - A member votes once per view and phase, and keeps its lock. Two certificates for one round need at least n/3 members that lie;
//     a member who sees them halts.
//   - Before a second vote, what the record names is durable: no certificate can name files that everybody lost.
//
// So a round ends whenever a quorum of the members runs and hears each other, whatever happened before and whatever fewer than a third do;
// at most the round under way is lost. Deadlines follow what the members usually need (pace.go) and double with every attempt or view that fails.
// Two members that cannot reach each other get each other's messages from a third one (detour.go).
//
// # Epochs
//
// The members of an epoch are fixed. Owners approve the document of the next one (Approve); with the approvals of a quorum, and after at least
// ledger.MinEpochRounds rounds, the outcome of a round is a record that ends the epoch, and the next round belongs to the next one
// (approval.go). Members that stay keep what they know; indices in messages and in the log are those of the epoch of their round. A Machine
// may belong to a node that is in no epoch yet, or not any more: it says nothing and follows the certified rounds (membership.go). The driver is
// told whom to talk to with Members.
//
// # Looking at a round again
//
// When Config asks for it, the machine hands over the signed messages of every round that ends (Archive). Replay verifies the round
// from them, as a spectator without any key: every signature, root, statement, opened share, sum, the outer step and the votes. Its
// report says what holds, what is wrong, who is to blame where signed messages prove it, and what happened, in plain words.
//
// # What it does not do
//
// It does not say whether an update makes the model better; canary sets say when it has become much worse. It does not hide the sum: what
// two members of a head can learn of each other is said in TwoMemberNotice. It moves no bytes and keeps no files: the driver does.
package federation
