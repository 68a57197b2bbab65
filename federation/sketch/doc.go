// Package sketch finds members of a secure sum whose vector is longer than allowed, without seeing the vector. It audits the masked
// inputs of federation/secagg after they are committed: a public random linear map S of R rows over Z_2^bits, the signed count
// sketch of Charikar, Chen and Farach-Colton (2002), turns
//
//	y_i = q_i + PRG(b_i) + sum over later j of PRG(s_ij) - sum over earlier j of PRG(s_ij)
//
// into the same equation between sketches of R words. y_i is public, b_i is opened by unmasking, and both ends of every pair of
// survivors publish S(PRG(s_ij)). So anyone can compute S(q_i), and from it estimate the norm of q_i. Who is too long is named in
// the same round.
//
// The package is pure: no clock, no network, no disk, no randomness. Order of a session:
//
//	secagg: inputs committed by their roots, survivors agreed, seeds of self-masks opened
//	seed := Seed(session id, Opening.Root, roots)      // only now: nobody could choose its input for its functionals
//	s, err := New(seed, config)
//	s.Report(i, keys of pair masks with survivors)     // every survivor; publish Report.Encode
//	a, err := s.NewAudit(survivors)                    // anyone
//	s.AddBytes(sketch, at, chunk of y_i) ...; s.RemovePublic(sketch, i, self-mask key, keys with dropped); a.Input(i, sketch)
//	a.Report(report) ...
//	a.Settle(quarrel, key) ...                         // for each of a.Quarrels, when its lower member has opened the mask
//	a.Result()                                         // verdicts, quarrels left, who is silent
//
// A member that dropped out is not in the sum and is not estimated; survivors' masks with it are public by then.
//
// # Estimate
//
// Each lane is looked at with probability p, and then added to one of R buckets with a random sign, all drawn by
// AES-256-CTR from the seed. With h_r the bucket's representative in [-2^(bits-1), 2^(bits-1)), the estimate of |q|² is
//
//	N = 1/p sum h_r²      E N = |q|²      Var N = (1-p)/p sum q_k⁴ + 2/R (|q|⁴ - sum q_k⁴)
//
// as long as buckets do not wrap around. It is unbiased. For a flat vector of many lanes N R/|q|² is chi-squared with R degrees of
// freedom: relative standard error sqrt(2/R) = 18 % of the square, 9 % of the norm, for R = 64.
//
// # Sampling
//
// An honest bucket has a standard deviation of sqrt(p/R)·C for the norm bound C. p is the largest rate, at most 1, at which half
// the ring is at least g = 8 of them. In Z_2^32 that is mostly 1. In Z_2^16, with 8-bit values of standard deviation 32, it is 1 up to a
// Mi lanes and 1/10 at 10^7. Then a member looks only at the blocks of the mask streams in which there are sampled lanes.
// Where honest buckets wrap all the same, |h_r| gets smaller, never larger: no honest member is accused because of it.
//
// # Test
//
// A member is accused if N > τC². τ is such that a member whose vector has a norm of at most C and no lane above the peak m is
// accused with a probability of at most ε = 10^-6 per round. This is proven, not simulated: with v_r the energy of the lanes in
// bucket r, Bernstein's inequality for sums of terms up to m² bounds every v_r and their total V; given those, exp(λh_r²) has no larger
// mean than for a Gaussian of variance v_r (h_r is a Rademacher sum), so Chernoff's bound for a chi-squared variable with
// V/max v_r degrees of freedom holds. τ grows with a = m²R/(pC²), the share of one lane in the energy of a bucket:
//
//	a      0     0.001 0.01  0.1   0.25  1           R = 64, ε = 10^-6
//	τ      2.28  2.43  2.78  4.00  5.19  9.28        every lane looked at
//	τ      2.28  2.47  2.90  4.45  5.99  11.26       sampled
//
// For a flat vector the true probability at τ = 2.28 is 3·10^-8. Vectors should be rotated before they are quantised: that makes them
// flat. Without rotation the test is as safe for honest members, and blunter: k² > τ is needed to be found.
//
// # Power
//
// Probability that a member of norm kC is named (τ = 2.4, flat vector; Sketch.Power):
//
//	k      1.25   1.5    1.75   2      2.5    3      10
//	p(k)   0.004  0.334  0.897  0.995  1.000  1.000  1.000
//
// When every lane is looked at, vectors that are not flat have estimates of no more variance. But a vector of two equal
// lanes is missed with probability 1/(2R) = 0.8 %, whatever k: they cancel. With a lane above sqrt(2τ)·C nothing is missed more often,
// as for each placing of the others at most one placing of that lane leaves a short sketch; without one there are many lanes. When lanes are sampled, an
// attacker may put its energy in few lanes and hope that they are not looked at. A lane cannot exceed half the ring, so a
// vector of norm kC has at least 4k²C²/2^(2 bits) lanes, of which k²R/g² or more are met on average. The rarest found of
// the vectors of equal lanes of 2^15, 2^16/3, 2^14, 2^13 or 2^12 in Z_2^16 (p = 1/16, τ = 2.66, 500 drawings):
//
//	k      2      3      4      5      10
//	p(k)   0.74   0.99   1.00   1.00   1.00
//
// A vector so long that buckets wrap has no small sketch: for any q with centred lanes E cos(2πh_r/2^bits) <=
// exp(-8p|q|²/(R 2^(2 bits))), which tends to zero as for uniform buckets. A uniform sketch has sum h_r² = R 2^(2 bits)/12. Half the ring
// over the deviation of an honest bucket is kept above 1.4·sqrt(3τ), so that this is twice the limit or more.
//
// # Lies
//
// A member could only change its estimate by a false S(PRG(s_ij)).
//
//   - If the other end is honest their reports differ: a Quarrel. Each member is judged by its own report alone, so the lie does not
//     touch the honest end. To settle it the lower member of the pair, which encapsulated to the other, opens the seed of that
//     one encapsulation, HKDF(z_i, "enc"|sid|j). Anyone encapsulates again and compares with the ciphertext that was published before
//     anything was masked; key confirmation has shown that the upper member derived the same secret (secagg.OpenPair). Who reported
//     otherwise lied, and is judged by the truth (Settle); a lower member that opens anything else lied, and is judged by the word of the other
//     (Overrule), like a liar known from another pair. What is opened is one pair mask, which the liar knew. A lower member that opens nothing may have
//     lost its secrets or its connection: that proves nothing. Of a quarrel that stays both ends are barred from the next roster, within the limits
//     of Barred.
//   - If both ends lie alike, what vanishes from one estimate appears in the other: S(q_i) + S(q_j) stays. A coalition A can only share
//     out the sketch of the sum of its vectors, and all of it pass only if the norm of that sum is estimated at no more than
//     |A|·sqrt(τ)·C, as much as they could have sent openly. Two colluders of whom one sends 10 C: one of the two is named, whatever
//     they agree on. Seven or more can hide it, and then have nothing else to send.
//   - Beyond the wrap, where the sketch is no longer than a uniform one, sharing would pay without limit. A coalition of f is
//     excluded by headroom: g >= 1.4 f sqrt(3τ). Config.Coalition is f, 2 unless set. It costs sampling and so a larger τ: in
//     Z_2^32, with 10^7 lanes of 2^19 and peaks of five times that, τ = 2.34 for 2, 2.77 for 16, 5.85 for 66 colluders. In Z_2^16
//     New soon refuses.
//   - A member that does not report is listed as silent. Nobody is judged by another's report.
//   - A report of another session, or of other inputs, has another seed and is refused.
//
// # What it gives away
//
// R linear functionals of every survivor's quantised vector become public each round, R·bits bits at most: with R = 64 in
// Z_2^32 at most 256 bytes of some 40 MB. They are random and drawn after commitment, so neither the member nor the attacker
// has chosen them. From them follow the member's norm (to 9 %), the inner product with any vector u that the attacker can name, to
// |q||u|/sqrt(R), and whether q is a vector that the attacker already holds (certainly; 64 functionals are a fingerprint). A
// record whose gradient is more than about 3/sqrt(R) = 38 % of the update in one known direction can be seen in a single round; what
// is spread over many directions cannot be rebuilt from 64 equations. Functionals of different rounds are of different updates, but
// add up where updates are alike. Fewer rows leak less and find less. Nothing else is learned: given its sketch a pair mask
// is still uniform on all that S does not see, so masked inputs tell the sum and the S(q_i).
//
// It does not look at direction (see federation/robust), nor at a norm within the bound, nor at members' weights: leave the weight lane out
// of Lanes. One sketch covers one vector with one bound; slices with clipping norms of their own may share the bound of the
// whole, or have a sketch each at R functionals each.
//
// # Report
//
// Integers are big-endian, words little-endian. There is one encoding of every report.
//
//	version 1 (1 byte), bits (1), seed (32), sender (2), R (2), count (2), then per pair, ascending by the other end:
//	its index (2), R words of bits/8 bytes each
//
// 40 + (n-1)(2 + R bits/8) bytes: for R = 64 and 32 bits, 12,682 of 50 members and 51,382 of 200.
package sketch
