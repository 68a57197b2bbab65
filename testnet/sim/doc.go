// Package sim plays federations in virtual time: the real state machines of package federation on simulated links, clocks and
// disks, with a made-up trainer, in one thread. A Scenario says who takes part and what befalls them; the same one makes the
// same history, event by event, from its seed.
//
//	s, err := sim.Parse(file)
//	o, err := sim.Run(s)
//	err = o.Err() // what must not be: with the scenario as text and what happened last
//
// # What is simulated
//
// A World drives each member's machine as a node does: a Persist is on the disk at once and as a whole, nothing that follows
// happens before it, and a member may be killed between any two actions and in the midst of a Broadcast. What was persisted or
// published stays; all else is gone, also what had not left the sender's end of a slow line. A paused member hears
// everything later, in order. A member whose disk is full stops, as the node does. Links have latency, bandwidth, loss,
// duplicates, reordering and replays for each direction, and can be cut (envelopes are lost) or held (they come after the heal). Clocks are
// wrong and run at different rates. Members that meet again are told so, and all greet each other every 15 seconds.
//
// Byzantine members run a real machine, too. Strategies alter what it says towards some or all: withhold, delay, replay,
// spoil, equivocate, double, garbage, stale, boast and rewrite; twin gives the member a second machine with the same keys, so that
// everything is said in two valid ways to two sides.
//
// # What must hold
//
// An audit watches the honest members, whatever the others do:
//
//   - every certificate holds, and all have the same record of a round;
//   - a certified sum is, bit for bit, the sum of what the members in it contributed before masking (left out where a Byzantine
//     member in the sum altered its masked input: nobody knows what it meant);
//   - nothing is opened over fewer members than the minimum, and no record names fewer;
//   - no promise in a log is overwritten, nothing is said in two ways in one place, shares are opened and records signed once a
//     round;
//   - nobody halts, alarms its owner without a reason, or keeps a proof against an honest member;
//   - a round is void only if something was done to the federation in it;
//   - when the trouble is over everybody gets to the end within Scenario.Within.
//
// # The language of scenarios
//
// One statement a line; # begins a comment. WHO is a list of members such as 0,2-4, or * for all. Durations are like 300ms.
//
//	members 7                          how many
//	rounds 4                           to be certified, setup and void ones included; default 3
//	seed 17                            of all that is left to chance
//	cohort 5                           minimum cohort; default a quorum
//	divided 3                          into at most that many cohorts that are summed apart; give a small cohort as well
//	founded                            the setup round is over when the scenario begins
//	within 2m                          how long the end may take after the last trouble; default 3m
//	train 200ms..400ms                 how long local work takes
//	link 0->* latency 50ms..200ms bandwidth 100kB/s loss 20% duplicate 1% reorder 5% replay 1%
//	skew 3 +40s                        a clock is ahead
//	drift 3 +200ppm                    a clock runs fast
//	fail 2 round 1                     local work fails, the first time
//	echo 20%                           events that a machine gets twice, within three seconds
//	byzantine 5 equivocate roster,final to 0,1
//	byzantine 5 delay chunk by 2s      strategy, steps, delay and whom it is about; see Strategies and Steps
//	at 3s cut 0,1 | 2-6                until a heal of all cuts, or with "for 2s"; hold likewise
//	at 8s heal
//	at 9s link *->3 loss 0%
//	at 9s skew 3 -5s
//	at 10s pause 2 for 3s
//	at 10s disk-full 2 for 3s
//	at action 57 kill 2 for 300ms      after its 57th action that others or a later life can see; without "for" it is for good
//	at step masked round 1 kill 2,3    each just before it says the first such envelope of the round
//	amid step masked round 1 kill 2,3  when some have been served
//	after step final of 4 round 1 ...  when member 4 has said it; "of any": when the first one has
//	expect setup train/2 void train    kinds of the rounds, and how many sums they opened
//
// # Cases, seeds and soaks
//
// Files in testdata are named cases with the main steps of what happens recorded below; -update records anew. Those in
// testdata/open are known to fail and are played with -open. Generate and KillMatrix draw scenarios from seeds:
//
//	go test ./testnet/sim -run KillMatrix -size 25 -seeds 1000 -timeout 3h
//	go test ./testnet/sim -run 'Generated|Liars|Outages' -first 5000 -seeds 1000 -timeout 3h
//
// The scenario that a failure prints can be saved as it is and becomes a named case; with -shrink it is made smaller first.
package sim
