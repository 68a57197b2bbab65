package weights

import (
	"slices"

	"gopkg.in/yaml.v3"
)

// arrayReader flattens nested lists of numbers. All lists of one level must be equally long.
type arrayReader struct {
	c     *converter
	shape []int
	data  []float64
	depth int // level of the numbers plus one; 0 = none seen yet
}

func (a *arrayReader) read(n *yaml.Node, level, depth int) error {
	if err := a.c.visit(n, depth); err != nil {
		return err
	}
	switch n.Kind {
	case yaml.AliasNode:
		a.c.inAlias++
		defer func() { a.c.inAlias-- }()
		return a.read(n.Alias, level, depth+1)
	case yaml.SequenceNode:
		return a.list(n, level, depth)
	case yaml.ScalarNode:
		v, err := number(n)
		if err != nil {
			return err
		}
		if level != len(a.shape) {
			return at(n, "a number where the array has lists")
		}
		a.depth = level + 1
		a.data = append(a.data, v)
		return nil
	}
	return at(n, "neither a number nor a list inside an array")
}

func (a *arrayReader) list(n *yaml.Node, level, depth int) error {
	switch {
	case a.depth > 0 && level >= a.depth-1:
		return at(n, "a list where the array has numbers")
	case level == len(a.shape):
		a.shape = append(a.shape, len(n.Content))
	case a.shape[level] != len(n.Content):
		return at(n, "a list of %d where the array has lists of %d", len(n.Content), a.shape[level])
	}
	for _, item := range n.Content {
		if err := a.read(item, level+1, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func number(n *yaml.Node) (float64, error) {
	t, err := scalar(n)
	if err != nil {
		return 0, err
	}
	switch {
	case t.Kind == Float:
		return t.Float, nil
	case t.Kind == Int && t.Int >= -1<<53 && t.Int <= 1<<53:
		return float64(t.Int), nil
	}
	return 0, at(n, "%.40q is no number", n.Value)
}

// isArray recognises the map that stands for an array.
func isArray(n *yaml.Node) bool {
	for k := 0; k+1 < len(n.Content); k += 2 {
		if n.Content[k].Value == "@class" && n.Content[k+1].Value == "np.ndarray" {
			return true
		}
	}
	return false
}

// array reads the map around an array's numbers, which is always written the same way.
func (c *converter) array(n *yaml.Node, depth int) (*Tree, error) {
	want := map[string]func(v *yaml.Node) bool{
		"@class":       func(v *yaml.Node) bool { return v.Value == "np.ndarray" },
		"@is_variable": func(v *yaml.Node) bool { return v.Value == "true" || v.Value == "True" },
		"@version":     func(v *yaml.Node) bool { return v.Value == "1" },
		"dtype":        func(v *yaml.Node) bool { return slices.Contains(dtypes, v.Value) },
		"value":        func(v *yaml.Node) bool { return true },
	}
	a := arrayReader{c: c}
	dtype := ""
	for k := 0; k+1 < len(n.Content); k += 2 {
		key, v := n.Content[k], n.Content[k+1]
		ok, known := want[key.Value]
		if !known || !ok(v) {
			return nil, at(key, "array with %.100q: %.100q, which is unknown here or appears twice", key.Value, v.Value)
		}
		delete(want, key.Value)
		switch key.Value {
		case "dtype":
			dtype = v.Value
		case "value":
			if err := a.read(v, 0, depth+1); err != nil {
				return nil, err
			}
		}
	}
	if len(want) > 0 {
		return nil, at(n, "array that lacks one of @is_variable, @version, dtype, value")
	}
	if size, err := count(a.shape); err != nil || size != len(a.data) {
		return nil, at(n, "array of shape %v with %d numbers", a.shape, len(a.data))
	}
	return &Tree{Kind: ArrayKind, Array: &Array{Dtype: dtype, Shape: a.shape, Data: slices.Clip(a.data)}}, nil
}
