package sketch

import (
	"fmt"
	"slices"
)

// Settle ends a quarrel with the key of the pair mask, which the lower member must open (doc.go says how it is proven): it returns
// who lied, one of the two or both, and puts the truth into both reports, so that a new Result judges the pair by it. A
// pair that does not quarrel needs no opening and is refused.
func (a *Audit) Settle(q Quarrel, key [32]byte) (liars []int, err error) {
	p := pair{q.Low, q.High}
	if !a.quarrel(p) {
		return nil, fmt.Errorf("sketch audit: members %d and %d do not disagree: there is nothing to open", q.Low, q.High)
	}
	truth := a.s.Mask(key)
	for _, end := range [][2]int{{q.Low, q.High}, {q.High, q.Low}} {
		if !slices.Equal(a.reports[end[0]][end[1]], truth) {
			liars = append(liars, end[0])
			a.reports[end[0]][end[1]] = truth
		}
	}
	return liars, nil
}

// Overrule ends a quarrel without the key, when one of the two was proven to lie: the report of the other stands for both, so that a new
// Result judges the pair by it. What the liar hid in the pair, of itself or of the other, shows in its own estimate then.
func (a *Audit) Overrule(q Quarrel, liar int) error {
	other := q.Low + q.High - liar
	if !a.quarrel(pair{q.Low, q.High}) || liar != q.Low && liar != q.High {
		return fmt.Errorf("sketch audit: members %d and %d do not disagree, or %d is neither: there is nothing to overrule", q.Low, q.High, liar)
	}
	a.reports[liar][other] = slices.Clone(a.reports[other][liar])
	return nil
}

// Compare says whether both members of a pair have reported, and whether they report the same.
func (a *Audit) Compare(q Quarrel) (known, alike bool) {
	low, high := a.reports[q.Low][q.High], a.reports[q.High][q.Low]
	known = low != nil && high != nil
	return known, known && slices.Equal(low, high)
}

// Quarrels returns the pairs that disagree, ascending.
func (a *Audit) Quarrels() (out []Quarrel) {
	for k, i := range a.survivors {
		for _, j := range a.survivors[k+1:] {
			if a.quarrel(pair{i, j}) {
				out = append(out, Quarrel{i, j})
			}
		}
	}
	return out
}

// Barred returns who must not be in the next roster because of quarrels that were not settled, when at most faulty
// members are dishonest: use the largest number that the roster is built to survive. Two honest members never quarrel; so one that
// quarrels with more than faulty others is dishonest for certain, and its quarrels say nothing about the others. Of every remaining
// quarrel both ends are barred, of whom at least one is dishonest. If more than faulty must be dishonest nobody is certain.
// Lists are ascending.
func Barred(quarrels []Quarrel, faulty int) (certain, both []int) {
	left := slices.Clone(quarrels)
	for {
		degree := degrees(left)
		liar := -1
		for _, i := range sorted(degree) {
			if degree[i] > faulty && (liar < 0 || degree[i] > degree[liar]) {
				liar = i
			}
		}
		switch {
		case liar < 0:
			return slices.Sorted(slices.Values(certain)), sorted(degree)
		case faulty < 1:
			return nil, sorted(degrees(quarrels))
		}
		certain = append(certain, liar)
		faulty--
		left = slices.DeleteFunc(left, func(q Quarrel) bool { return q.Low == liar || q.High == liar })
	}
}

// degrees counts the quarrels of everyone who has any.
func degrees(quarrels []Quarrel) map[int]int {
	degree := make(map[int]int)
	for _, q := range quarrels {
		degree[q.Low]++
		degree[q.High]++
	}
	return degree
}
