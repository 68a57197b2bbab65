package robust

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

func indices(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

func TestEveryMemberIsInOneGroup(t *testing.T) {
	for n := 1; n <= 70; n++ {
		for groups := 1; groups <= n; groups++ {
			parts, err := Partition([32]byte{byte(n), byte(groups)}, indices(n), groups, n/groups)
			if err != nil || len(parts) != groups {
				t.Fatalf("%d members: %d groups, want %d (%v)", n, len(parts), groups, err)
			}
			var all []int
			for _, p := range parts {
				if len(p) != n/groups && len(p) != (n+groups-1)/groups {
					t.Fatalf("%d members, %d groups: one of %d", n, groups, len(p))
				}
				if !slices.IsSorted(p) {
					t.Fatalf("group %v is not ascending", p)
				}
				all = append(all, p...)
			}
			if slices.Sort(all); !slices.Equal(all, indices(n)) {
				t.Fatalf("%d members, %d groups: %v", n, groups, parts)
			}
		}
	}
}

// TestPartitionBytes pins the partition: all members of all versions must find the same.
func TestPartitionBytes(t *testing.T) {
	const want = "[[2 7 12] [3 6 8 11] [4 5 9]]"
	parts, err := Partition([32]byte{1}, []int{12, 11, 9, 8, 7, 6, 5, 4, 3, 2}, 3, 3)
	if err != nil || fmt.Sprint(parts) != want {
		t.Errorf("%v (%v), want %s", parts, err, want)
	}
	again, err := Partition([32]byte{1}, []int{2, 3, 4, 5, 6, 7, 8, 9, 11, 12}, 3, 3)
	if err != nil || fmt.Sprint(again) != want {
		t.Errorf("in another order: %v (%v), want %s", again, err, want)
	}
}

// TestPartitionIsUniform counts how often each pair of members meets, within five standard deviations.
func TestPartitionIsUniform(t *testing.T) {
	const n, groups, trials = 7, 3, 4000 // sizes 2, 2, 3
	var meets [n][n]float64
	for k := range trials {
		parts, err := Partition([32]byte{byte(k), byte(k >> 8)}, indices(n), groups, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			for _, i := range p {
				for _, j := range p {
					meets[i][j]++
				}
			}
		}
	}
	const p = float64(1+1+3) / 21 // pairs within groups among all pairs
	for i := range n {
		for j := range i {
			if sd := math.Sqrt(p * (1 - p) * trials); math.Abs(meets[i][j]-p*trials) > 5*sd {
				t.Errorf("members %d and %d meet %v times, want %.0f ± %.0f", i, j, meets[i][j], p*trials, sd)
			}
		}
	}
}

func TestDrawsAreUniform(t *testing.T) {
	d := newDraws([32]byte{3})
	const n, trials = 6, 60000
	var seen [n]float64
	for range trials {
		seen[d.below(n)]++
	}
	for x, got := range seen {
		if sd := math.Sqrt(trials / n); math.Abs(got-trials/n) > 5*sd {
			t.Errorf("%d came %v times, want %v ± %.0f", x, got, trials/n, sd)
		}
	}
	half, above := uint64(1<<63+1), 0 // nearly half of all words must be drawn again
	for range 1000 {
		if x := d.below(half); x >= half {
			t.Fatalf("%d is not below %d", x, half)
		} else if x >= 1<<62 {
			above++
		}
	}
	if above < 420 || above > 580 {
		t.Errorf("%d of 1000 numbers in the upper half, want about 500", above)
	}
}

func TestPartitionsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		members       []int
		groups, least int
	}{
		"twice": {[]int{1, 2, 1, 4}, 2, 2}, "no group": {indices(4), 0, 1}, "small groups": {indices(9), 2, 5},
		"no least": {indices(4), 2, 0}, "nobody": {nil, 1, 1}, "negative": {indices(4), -1, -4},
	} {
		if parts, err := Partition([32]byte{}, c.members, c.groups, c.least); err == nil {
			t.Errorf("%s: %v", name, parts)
		}
	}
	if MostGroups(54, 5) != 10 || MostGroups(4, 5) != 0 || MostGroups(4, 0) != 0 {
		t.Error("MostGroups is wrong")
	}
}

// TestOdds compares with counting over random partitions.
func TestOdds(t *testing.T) {
	const trials = 3000
	for _, c := range []struct{ n, groups, malicious int }{{50, 10, 4}, {50, 10, 6}, {23, 4, 2}, {200, 20, 20}} {
		withstood, exposed := 0.0, 0.0
		for k := range trials {
			parts, err := Partition([32]byte{byte(k), byte(k >> 8), 9}, indices(c.n), c.groups, 1)
			if err != nil {
				t.Fatal(err)
			}
			poisoned, open := 0, 0.0
			for _, p := range parts {
				bad := 0
				for _, i := range p {
					if i < c.malicious {
						bad++
					}
				}
				if bad > 0 {
					poisoned++
				}
				if bad >= 2*len(p)/3 {
					open++
				}
			}
			if poisoned <= (Median{}).Withstands(c.groups) {
				withstood++
			}
			exposed += open
		}
		near := func(what string, got, want float64) {
			if sd := math.Sqrt(want*(1-min(1, want))/trials) + 2.0/trials; math.Abs(got-want) > 4*sd {
				t.Errorf("%+v: %s %.4f, want %.4f ± %.4f", c, what, got, want, sd)
			}
		}
		near("withstood", withstood/trials, Withstood(Median{}, c.n, c.groups, c.malicious))
		if bound := Exposed(c.n, c.groups, c.malicious); bound < 1 {
			near("exposed", exposed/trials, bound)
		}
		t.Logf("%+v: withstood %.3f, exposed %.3f", c, Withstood(Median{}, c.n, c.groups, c.malicious), Exposed(c.n, c.groups, c.malicious))
	}
	for _, c := range []struct {
		got, want float64
	}{
		{Withstood(Median{}, 10, 5, 2), 1}, {Withstood(Mean{}, 10, 5, 1), 0}, {Withstood(Mean{}, 10, 5, 0), 1},
		{Withstood(Median{}, 10, 5, 11), 0}, {Withstood(TrimmedMean{1}, 4, 4, 2), 0}, {Exposed(10, 2, 0), 0}, {Exposed(10, 11, 0), 1},
		{Withstood(Median{}, 255, 51, 1), 1}, {Withstood(TrimmedMean{1}, 4, 2, 1), 0},
	} {
		if math.Abs(c.got-c.want) > 1e-12 {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
}

// TestOddsTable checks the table of the package comment.
func TestOddsTable(t *testing.T) {
	for _, c := range []struct {
		n, groups, malicious int
		withstood, exposed   float64
	}{
		{24, 3, 1, 1, 0}, {24, 3, 2, 0.304, 0}, {50, 6, 2, 1, 0}, {50, 6, 3, 0.411, 0}, {50, 10, 4, 1, 0.020},
		{200, 20, 9, 1, 0}, {200, 20, 12, 0.531, 0}, {200, 25, 12, 1, 0}, {200, 40, 19, 1, 0.260},
	} {
		withstood, exposed := Withstood(Median{}, c.n, c.groups, c.malicious), Exposed(c.n, c.groups, c.malicious)
		if math.Abs(withstood-c.withstood) > 6e-4 || math.Abs(exposed-c.exposed) > 6e-4 {
			t.Errorf("%d members, %d groups, %d malicious: %.4f and %.4f, table %.3f and %.3f", c.n, c.groups, c.malicious, withstood, exposed, c.withstood, c.exposed)
		}
	}
}
