// Package secagg adds up vectors of many members so that nobody, neither a relay nor fewer than a third of the members
// together, sees anything of a single one but the sum. It is the double masking of Bonawitz et al. (CCS 2017),
// in the variant against active adversaries, on the complete graph of pairs, with key agreement that also
// withstands quantum computers.
//
// The package is pure: no clock, no network, no disk, no randomness. Secrets come in as 32-byte roots, and everything a
// member says is a function of its root, its values and what it has received. Messages come in and go out as authenticated
// bodies by member index: signing, relaying, deadlines and the durable log are the caller's.
//
// # A session
//
// A Session is a roster, a threshold t = Quorum(n), a minimum of survivors, a vector length, the ring in which values are
// added, and an id made by Context.ID that is bound into every derived key, seal, hash and statement. Each member takes the steps of a Member once
// and in order; after any step members may drop out, as long as max(t, minimum) go on.
//
//	Keys     everyone     mask key (X-Wing), seal key (HPKE), commitment to the self-mask seed b
//	Shares   to everyone  Shamir shares of b and of the pair-mask seed z, sealed; pair ciphertexts to later members
//	Confirm  to everyone  key confirmation for every pair; or a Complaint that names who dealt wrongly
//	Mask     publish      y = q + PRG(b) + sum over later j of PRG(s_ij) - sum over earlier j of PRG(s_ij), in Z_2^Bits
//	Survive  publish      the statement who is in the sum, with the roots of their masked inputs
//	Unmask   publish      a share of b of every survivor, of z of everyone else; only after t equal statements
//	Sum      anyone       checks all of it, rebuilds the seeds, subtracts
//
//	m, err := secagg.NewMember(session, self, root)
//	keys := m.Keys()                                     // broadcast, collect
//	shares, err := m.Shares(allKeys)                     // broadcast, collect
//	confirm, err := m.Confirm(allShares)                 // broadcast, collect
//	masked, err := m.Mask(values, allConfirms)           // store masked.Header.Root(), then send the chunks
//	statement, err := m.Survive(survivors, roots)        // store, sign, broadcast, collect
//	unmask, err := m.Unmask(allStatements)               // store, broadcast
//	sum, err := secagg.Sum(session, transcript)
//	m.Erase()
//
// Session.Cohorts divides the members: pair masks stay inside cohorts, so that the sum of each opens apart. See Cohort.
//
// Values are prepared by a Quantizer (clipped, weighted, stochastically rounded updates with error feedback), by Wide
// (exact sums of float64 numbers), both for 32 bits, or by Narrow (updates in 16 bits).
//
// # Rings
//
// Session.Bits says where values are added: Z_2^32, or Z_2^16 for half the traffic and half the work. In both they are passed as
// uint32 words below 2^Bits; a word above is refused, not cut. A chunk has 256 KiB, so 65,536 or 131,072 lanes.
// The bodies do not name the ring. In a session of 16 bits SHA-256 of domain/ring, a zero byte, the bits (1 byte) and the
// session id takes the place of the id in every derived key, seal, tag and view; in one of 32 bits the id stands for
// itself. Members that disagree on the ring therefore complain about each other before they mask, and a transcript of
// one ring has no sum in the other.
//
// # Narrow lanes
//
// A Narrow puts updates into 16 bits: 8 of the value for up to 256 members, and 8 in which the sum grows. It rotates the update
// by a public random Hadamard transform, so that all lanes are of about the same size even if a few parameters
// moved much more than the rest, rounds at random without bias, and keeps what it rounded off for the next round. What was opened
// also says which scales the next round needs.
//
//	q, err := secagg.NewNarrow(secagg.NarrowConfig{Session: session.ID, Groups: groups, Peers: n})
//	out, err := q.Quantize(update, weight, version, residual, seed) // out.Lanes are the values for Mask
//	mean, err := q.Dequantize(sum, survivors)                       // mean.Values, mean.Weight
//	groups, err = q.Next(mean)                                      // of the next round
//
// Session.Upload says what all of it costs a member in bytes.
//
// # What it guarantees
//
//   - A member's values are hidden inside a sum of at least t, against anyone who controls the relay and fewer than n/3 members.
//   - The sum is exact, or there is an error. It cannot be altered: masked inputs are stated by their roots
//     before anything is opened, opened shares are checked against leaves published before anything was masked, and a rebuilt seed
//     must reproduce all that its owner published. Who deviates in what it dealt is named by a Complaint (before
//     masking, no proof) or a Fault (afterwards, proof from public messages).
//   - A seed that is opened opens nothing else: b, z, the seal key and the sealing randomness are independent. The seed of one
//     encapsulation, which the lower end of a pair opens when the upper end contradicts it about their mask (OpenPair), follows from z by a
//     hash, so it opens that mask alone.
//   - A member never opens both secrets of another, makes two statements, or masks twice, while its Member lives. Across
//     restarts the caller's log must hold: what was stored before sending may be sent again, and nothing else. Replaying Shares,
//     Confirm and ResumeMasked on a Member from the same root restores one that has masked.
//   - Once shares of a round were opened, the caller must refuse every other attempt at that round: two sums that differ by
//     one member reveal that member.
//
// It does not hide the sum, does not check that values are sensible (a member can add anything), and does not say who sent a
// body: the caller must only pass bodies whose signature it has checked. The test table mistakes lists known failures of such
// systems with the test that covers each.
//
// # Choices
//
// Shamir points are the 255 non-zero elements of GF(2^8): sessions have 2 to 255 members. Coefficients, salts and so every
// share follow from the secret. Shares carries all leaves, as many bytes as their Merkle paths would be in sealed
// form or fewer; the view that members confirm and state binds them. PRG is AES-256-CTR under a key of its own
// from counter zero, words little-endian, key derivation HKDF-SHA256, hashes SHA-256 with a domain string per use.
//
// # Bodies
//
// Integers are big-endian. Every body starts with version 1 (1 byte), its kind (1), the session id (32) and the sender's index
// (2): 36 bytes. Lists of members are strictly ascending. There is one encoding of every message; anything else is refused
// with ErrMessage before memory is allocated for it.
//
//	1 Keys       mask key 1216, seal key 1216, commitment 32; 2500 bytes
//	2 Shares     view 32, count 2, then per recipient: index 2, leaf of b 32, leaf of z 32,
//	             sealed shares 1264 unless it is the sender, ciphertext 1120 if it comes after the sender
//	3 Confirm    view 32, count 2, then per other dealer: index 2, HMAC-SHA256 32
//	4 Complaint  accused 2, reason 1; 39 bytes
//	5 Masked     lanes 4, then per chunk: hash 32
//	6 Chunk      index 4, then up to 256 KiB of lanes of 4 or 2 bytes, little-endian
//	7 Survivors  roster hash 32, view 32, count 2, then per survivor: index 2, root 32
//	8 Unmask     count 2, then per dealer: index 2, secret 1 (1 is b, 2 is z), share 32, salt 32
//	9 ChunkSum   index 4, then up to 65536 words of the sum of 4 bytes, little-endian
//
// A sealed share is an HPKE message (RFC 9180 base mode, MLKEM768X25519, HKDF-SHA256, AES-256-GCM): encapsulated key 1120,
// ciphertext of share and salt of b and share and salt of z 128, tag 16.
package secagg
