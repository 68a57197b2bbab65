package dpa2

import (
	"github.com/fedlam/fedlam/training/weights"
)

// dict makes a map node of alternating keys and nodes.
func dict(entries ...any) *weights.Tree {
	t := weights.NewMap()
	for k := 0; k < len(entries); k += 2 {
		t.Set(entries[k].(string), entries[k+1].(*weights.Tree))
	}
	return t
}

// class adds "@class" and "@version".
func class(name string, version int, t *weights.Tree) *weights.Tree {
	t.Set("@class", text(name))
	t.Set("@version", weights.NewInt(version))
	return t
}

func text(s string) *weights.Tree { return weights.NewString(s) }

func flag(v bool) *weights.Tree { return weights.NewBool(v) }

func texts(list []string) *weights.Tree {
	t := weights.NewList()
	for _, s := range list {
		t.Items = append(t.Items, text(s))
	}
	return t
}

func ints(list []int) *weights.Tree {
	t := weights.NewList()
	for _, n := range list {
		t.Items = append(t.Items, weights.NewInt(n))
	}
	return t
}

func outs(net []linear) *weights.Tree {
	t := weights.NewList()
	for _, l := range net {
		t.Items = append(t.Items, weights.NewInt(l.out))
	}
	return t
}

func pairs(list [][2]int) *weights.Tree {
	t := weights.NewList()
	for _, p := range list {
		t.Items = append(t.Items, ints(p[:]))
	}
	return t
}

func optional(v *float64) *weights.Tree {
	if v == nil {
		return weights.NewNull()
	}
	return weights.NewFloat(*v)
}

// asTree writes a value as encoding/json does. The values given are plain data, which always can be written.
func asTree(v any) *weights.Tree {
	t, err := jsonTree(v)
	if err != nil {
		return weights.NewNull()
	}
	return t
}
