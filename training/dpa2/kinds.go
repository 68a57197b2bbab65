package dpa2

// groupAxis names the axis of the groups of rows of an axis.
func groupAxis(axis string) string { return axis + "group" }

// groups are the rows of one atom and of one kind, which lie side by side.
type groups struct {
	of         []int32 // row -> group
	atom, kind []int32 // of each group
}

// clear empties the lists of groups; the rows are emptied with other lists of rows.
func (g *groups) clear() { g.atom, g.kind = g.atom[:0], g.kind[:0] }

// add counts n more rows to the last group, or to a new one.
func (g *groups) add(atom, kind int32, n int) {
	if k := len(g.atom); k == 0 || g.atom[k-1] != atom || g.kind[k-1] != kind {
		g.atom, g.kind = append(g.atom, atom), append(g.kind, kind)
	}
	for range n {
		g.of = append(g.of, int32(len(g.atom)-1))
	}
}

// kinds numbers the pairs of types that occur.
type kinds struct {
	ntypes      int
	table       []int32 // number + 1, 0 = not met yet
	left, right []int32
}

func newKinds(ntypes int) *kinds { return &kinds{ntypes: ntypes, table: make([]int32, ntypes*ntypes)} }

func (k *kinds) clear() {
	clear(k.table)
	k.left, k.right = k.left[:0], k.right[:0]
}

func (k *kinds) number(left, right int32) int32 {
	slot := &k.table[int(left)*k.ntypes+int(right)]
	if *slot == 0 {
		k.left, k.right = append(k.left, left), append(k.right, right)
		*slot = int32(len(k.left))
	}
	return *slot - 1
}

// mirrors returns the number of (right, left) for each pair, which is numbered if it has not been.
func (k *kinds) mirrors() []int32 {
	var mirror []int32
	for i := 0; i < len(k.left); i++ {
		mirror = append(mirror, k.number(k.right[i], k.left[i]))
	}
	return mirror
}
