// Package robust limits what poisoned updates of allowed length can do to a mean. Members of a round are split at random into groups; secure
// aggregation opens the sum of each group instead of one sum of all; and a robust rule over the group means, each of them public,
// takes the place of the mean. It complements the audit of norms in federation/sketch, which does not look at direction.
//
//	parts, err := robust.Partition(seed, members, robust.MostGroups(len(members), 10), 10)
//	... one secure sum per group; means[g] = sum of group g over its weight
//	mean, err := robust.Aggregate(robust.Median{}, means)
//
// The package is pure. Results have the same bits on every machine: sums have a fixed order, products are converted before they are
// added so that no compiler fuses the two, and sorting is written out.
//
// # Groups
//
// The seed must be one that nobody could choose or foresee when rosters were made, such as the previous certificate, and
// the same in all attempts at a round: sums over two partitions tell more than either. Every group is a session of its own, with the
// minimum cohort as its least size.
//
// A rule withstands a number of poisoned groups, and one malicious member poisons a group. So small groups withstand
// more; but each secure sum protects its members only while fewer than a third of them are malicious. With n members, G groups, f malicious
// members, the probability that the coordinate-wise median withstands them, and the bound of that for some group not to be
// protected (Withstood, Exposed):
//
//	n    G   f    withstood  exposed
//	50   5   2    1.000      0.000
//	50   5   3    0.490      0.000
//	50   10  4    1.000      0.450
//	50   10  6    0.298      1
//	200  20  9    1.000      0.007
//	200  20  12   0.531      0.026
//	200  40  19   1.000      1
//
// Groups of ten are the better trade: fewer than one member in twenty may be malicious.
//
// # Rules
//
// Variance of the plain mean over that of the rule when all are honest and groups are Gaussian (efficiency), for ten groups and for very many:
//
//	rule                 withstands       ten groups   limit
//	Mean                 0                1            1
//	Median               (G-1)/2          0.72         2/π = 0.637
//	TrimmedMean{Trim}    Trim             0.95, 0.88, 0.81 for Trim 1, 2, 3
//	GeometricMedian      (G-1)/2          1.00 in 1000 dimensions, 0.785 in two
//
// The median of ten groups so costs as much accuracy as 28 % fewer members.
//
// What is left of an attack on the plain mean, when 3 of 50 members send a vector of 1.5 times the honest norm, in ten groups and
// 400 coordinates; honest members agree (noise 0.1 of the common update in every coordinate), differ (1) or are mostly noise (3):
//
//	attack                                Median   TrimmedMean{3}   GeometricMedian
//	one coordinate, members agree         0.01     0.01             0.17
//	one coordinate, members differ        0.09     0.10             0.83
//	every coordinate, members agree       0.15     0.17             0.12
//	every coordinate, members differ      0.88     0.89             0.72
//	every coordinate, members are noise   0.98     0.99             0.89
//
// So the coordinate-wise rules stop what is concentrated: a backdoor in one head, one element, a few weights. No rule stops a shift of
// every coordinate that is smaller than the spread of honest groups; then what bounds the harm is the norm, the number of malicious
// members, and the canaries. Coordinate-wise rules keep every coordinate within the range of the honest groups.
package robust
