package graph

import "slices"

// units groups the tensors.
func (f *fuser) units() []*unit {
	groups := map[class][]*Tensor{}
	var order []class
	var units []*unit
	for i, t := range f.list {
		switch {
		case f.inline[t]:
		case inTiles(t):
			c := class{tileShape(t), f.stage[t]}
			if groups[c] == nil {
				order = append(order, c)
			}
			groups[c] = append(groups[c], t)
		default:
			units = append(units, &unit{members: []*Tensor{t}, key: i})
		}
	}
	for _, c := range order {
		for _, members := range connected(groups[c]) {
			for part := range slices.Chunk(members, maxFused) {
				units = append(units, &unit{members: part, fused: true, key: f.position[part[len(part)-1]]})
			}
		}
	}
	return units
}

// connected splits the tensors of one class into sets that share operands of full shape or depend on each other.
func connected(list []*Tensor) [][]*Tensor {
	parent := map[*Tensor]*Tensor{}
	var find func(t *Tensor) *Tensor
	find = func(t *Tensor) *Tensor {
		if parent[t] == nil || parent[t] == t {
			return t
		}
		parent[t] = find(parent[t])
		return parent[t]
	}
	for _, t := range list {
		s := tileShape(t)
		for _, a := range t.args {
			if a.rows == s.rows && a.cols == s.cols {
				parent[find(a)] = find(t)
			}
		}
	}
	var sets [][]*Tensor
	number := map[*Tensor]int{}
	for _, t := range list {
		root := find(t)
		at, ok := number[root]
		if !ok {
			at = len(sets)
			number[root] = at
			sets = append(sets, nil)
		}
		sets[at] = append(sets[at], t)
	}
	return sets
}
