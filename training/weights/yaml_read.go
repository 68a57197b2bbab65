package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits of a model file. The largest official input has 1.7 million parameters, 50 MB of YAML.
const (
	maxYAMLBytes = 256 << 20
	maxYAMLNodes = 16 << 20
	maxYAMLAlias = 1 << 20 // values that aliases unfold into, so that a few lines cannot become gigabytes
	maxYAMLDepth = 64
	maxYAMLKey   = 256
)

// ErrTree is wrapped by every error of ReadYAML that is the fault of the file.
var ErrTree = errors.New("bad model file")

// ReadYAML reads a model tree. JSON is accepted too. Anchors and aliases are resolved to copies.
func ReadYAML(r io.Reader) (*Tree, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxYAMLBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read model tree: %w", err)
	}
	if len(text) > maxYAMLBytes {
		return nil, fmt.Errorf("read model tree: %w: more than %d MiB", ErrTree, maxYAMLBytes>>20)
	}
	if n := manyNodes(text); n > maxYAMLNodes {
		return nil, fmt.Errorf("read model tree: %w: about %d values, more than the %d allowed", ErrTree, n, maxYAMLNodes)
	}
	root, err := parseYAML(text)
	if err != nil {
		return nil, fmt.Errorf("read model tree: %w: %w", ErrTree, err)
	}
	var c converter
	tree, err := c.convert(root, 0)
	if err != nil {
		return nil, fmt.Errorf("read model tree: %w: %w", ErrTree, err)
	}
	return tree, nil
}

// manyNodes bounds the number of values from above, before the parser takes some 200 bytes for each of them.
func manyNodes(text []byte) int {
	n := 0
	for _, mark := range []string{"\n", ",", "[", "{"} {
		n += bytes.Count(text, []byte(mark))
	}
	return n
}

// parseYAML calls the foreign parser, which reports some mistakes of its own by panicking.
func parseYAML(text []byte) (root *yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("not YAML: %v", p)
		}
	}()
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errors.New("the file is empty")
	}
	return doc.Content[0], nil
}

// A converter turns parsed YAML into a Tree. The parser's nodes are already counted; aliases are not.
type converter struct {
	inAlias  int // aliases being unfolded at the moment
	unfolded int // values made from aliases so far
}

// visit keeps account of one value.
func (c *converter) visit(n *yaml.Node, depth int) error {
	if c.inAlias > 0 {
		c.unfolded++
	}
	if c.unfolded > maxYAMLAlias {
		return at(n, "aliases unfold into more than %d values", maxYAMLAlias)
	}
	if depth > maxYAMLDepth {
		return at(n, "nested deeper than %d levels", maxYAMLDepth)
	}
	return nil
}

func (c *converter) convert(n *yaml.Node, depth int) (*Tree, error) {
	if err := c.visit(n, depth); err != nil {
		return nil, err
	}
	switch n.Kind {
	case yaml.AliasNode:
		c.inAlias++
		defer func() { c.inAlias-- }()
		return c.convert(n.Alias, depth+1)
	case yaml.ScalarNode:
		return scalar(n)
	case yaml.SequenceNode:
		t := NewList()
		for _, item := range n.Content {
			child, err := c.convert(item, depth+1)
			if err != nil {
				return nil, err
			}
			t.Items = append(t.Items, child)
		}
		return t, nil
	case yaml.MappingNode:
		return c.mapping(n, depth)
	}
	return nil, at(n, "neither a value, a list nor a map")
}

func (c *converter) mapping(n *yaml.Node, depth int) (*Tree, error) {
	if isArray(n) {
		return c.array(n, depth)
	}
	t, seen := NewMap(), map[string]bool{}
	for k := 0; k+1 < len(n.Content); k += 2 {
		key := n.Content[k]
		switch {
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge":
			return nil, at(key, "a key that is not a plain word")
		case len(key.Value) > maxYAMLKey:
			return nil, at(key, "a key of more than %d characters", maxYAMLKey)
		case seen[key.Value]:
			return nil, at(key, "key %.100q appears twice", key.Value)
		}
		seen[key.Value] = true
		value, err := c.convert(n.Content[k+1], depth+1)
		if err != nil {
			return nil, err
		}
		t.Fields = append(t.Fields, Field{key.Value, value})
	}
	return t, nil
}

// scalar resolves a plain value by the rules of YAML 1.2.
func scalar(n *yaml.Node) (*Tree, error) {
	switch n.ShortTag() {
	case "!!null":
		return NewNull(), nil
	case "!!bool":
		v, err := strconv.ParseBool(strings.ToLower(n.Value))
		if err != nil {
			return nil, at(n, "%.40q is neither true nor false", n.Value)
		}
		return NewBool(v), nil
	case "!!int":
		v, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 0, 64)
		if err != nil {
			return nil, at(n, "%.40q is no integer of 64 bits", n.Value)
		}
		return &Tree{Kind: Int, Int: v}, nil
	case "!!float":
		v, err := parseFloat(n.Value)
		if err != nil {
			return nil, at(n, "%.40q is no number", n.Value)
		}
		return NewFloat(v), nil
	case "!!str", "!!timestamp":
		return NewString(n.Value), nil
	}
	return nil, at(n, "values of type %.40q have no place here", n.ShortTag())
}

func parseFloat(text string) (float64, error) {
	switch strings.ToLower(text) {
	case ".nan":
		return math.NaN(), nil
	case ".inf", "+.inf":
		return math.Inf(1), nil
	case "-.inf":
		return math.Inf(-1), nil
	}
	return strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
}

// at says in which line of the file something is wrong.
func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: %s", n.Line, fmt.Sprintf(format, args...))
}
