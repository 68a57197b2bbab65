package robust

// Withstood is the probability that, of a random partition of members of whom some are malicious, no more groups than the rule withstands
// hold a malicious member. A partition has sizes that differ by at most one.
func Withstood(rule Rule, members, groups, malicious int) float64 {
	if malicious < 0 || malicious > members || groups < 1 || groups > members {
		return 0
	}
	// ways[k][m]: choices of m malicious seats in the groups so far, with k of the groups touched.
	ways := make([][]float64, groups+1)
	for k := range ways {
		ways[k] = make([]float64, malicious+1)
	}
	ways[0][0] = 1
	for g := range groups {
		size := (g+1)*members/groups - g*members/groups
		for k := g + 1; k > 0; k-- { // downwards, as ways[k-1] is still that without group g
			for m := malicious; m > 0; m-- {
				for seats := 1; seats <= min(size, m); seats++ {
					ways[k][m] += choose(size, seats) * ways[k-1][m-seats]
				}
			}
		}
	}
	sum := 0.0
	for k := range min(rule.Withstands(groups), groups) + 1 {
		sum += ways[k][malicious]
	}
	return min(1, sum/choose(members, malicious))
}

// Exposed bounds the probability that some group of a random partition has so many malicious members that the smallest sum over it,
// of two thirds of the group and one more, could hold one honest member alone.
func Exposed(members, groups, malicious int) float64 {
	if malicious < 0 || malicious > members || groups < 1 || groups > members {
		return 1
	}
	sum := 0.0
	for g := range groups {
		size := (g+1)*members/groups - g*members/groups
		for m := 2 * size / 3; m <= min(size, malicious); m++ {
			sum += choose(malicious, m) * choose(members-malicious, size-m) / choose(members, size)
		}
	}
	return min(1, sum)
}

// choose is the binomial coefficient.
func choose(n, k int) float64 {
	if k < 0 || k > n {
		return 0
	}
	c := 1.0
	for i := range min(k, n-k) {
		c = c * float64(n-i) / float64(i+1)
	}
	return c
}
