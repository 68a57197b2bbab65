// Package robust limits what poisoned updates of allowed length can do to a mean. Members of a round are split at random into groups; secure
// aggregation opens the sum of each group instead of one sum of all; and a robust rule over the group means, each of them public,
// takes the place of the mean. It complements the audit of norms in federation/sketch, which does not look at direction.
// Package federation calls the groups cohorts.
//
//	parts, err := robust.Partition(seed, members, robust.MostGroups(len(members), 10), 10)
//	... the sum of each group, see secagg.Cohort; means[g] = sum of group g over its weight
//	mean, err := robust.Aggregate(robust.Median{}, means)
//
// The package is pure. Results have the same bits on every machine: sums have a fixed order, products are converted before they are
// added so that no compiler fuses the two, and sorting is written out.
//
// # Groups
//
// The seed must be one that nobody could choose or foresee when rosters were made, such as the record of the round before, and
// the same in all attempts at a round: sums over two partitions tell more than either.
//
// A rule withstands a number of poisoned groups, and one malicious member poisons a group. So small groups withstand
// more. But who is alone with malicious ones in the sum of its group is seen by them, and the smallest sum over a group is that of two thirds of
// it and one more. With n members, G groups, f malicious members, the probability that the coordinate-wise median withstands them, and a bound
// of that for some honest member to be alone in the smallest sum of its group (Withstood, Exposed):
//
//	n    G   f    withstood  exposed
//	24   3   1    1.000      0.000
//	24   3   2    0.304      0.000
//	50   6   2    1.000      0.000
//	50   6   3    0.411      0.000
//	50   10  4    1.000      0.020
//	200  20  9    1.000      0.000
//	200  20  12   0.531      0.000
//	200  25  12   1.000      0.000
//	200  40  19   1.000      0.260
//
// Groups of eight to ten are the better trade: fewer than one member in sixteen may be malicious.
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
