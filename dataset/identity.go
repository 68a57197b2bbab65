package dataset

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// identitySections are the parts of a convention that an energy head depends on. The class A fields of "charges" and
// "dipole" identify heads for those quantities, not for energies: two sets of the same level of theory share an
// energy head although only one of them also carries charges.
var identitySections = []string{"basis", "energy", "forces", "method", "state", "stress"}

// A Key names an energy head: 12 hexadecimal digits that two conventions have in common exactly if their class A
// fields mean the same.
type Key string

// Key returns the first 12 hexadecimal digits of the SHA-256 of Identity.
func (c *Convention) Key() (Key, error) {
	text, err := c.Identity()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return Key(hex.EncodeToString(sum[:])[:12]), nil
}

// Identity returns the class A fields as canonical JSON: sorted keys, no blanks, text in lower case with single blanks,
// lists sorted, and no field that is absent, empty or equal to its default.
func (c *Convention) Identity() ([]byte, error) {
	tree, err := c.tree()
	if err != nil {
		return nil, err
	}
	schema, err := conventionSchema()
	if err != nil {
		return nil, err
	}
	object, _ := tree.(map[string]any)
	out := map[string]any{}
	for _, name := range identitySections {
		if part := schema.Properties[name].identity("", object[name]); part != nil {
			out[name] = part
		}
	}
	return canonicalJSON(out)
}

// identity returns the class A part of v, or nil if nothing is left of it.
func (n *schemaNode) identity(class string, v any) any {
	if n.Class != "" {
		class = n.Class
	}
	if object, ok := v.(map[string]any); ok {
		return n.identityObject(class, object)
	}
	if class != "A" || v == nil {
		return nil
	}
	v = normal(v)
	if len(n.Default) > 0 {
		var fallback any
		if json.Unmarshal(n.Default, &fallback) == nil && equalJSON(v, normal(fallback)) {
			return nil
		}
	}
	if v == "" || equalJSON(v, []any{}) {
		return nil
	}
	return v
}

func (n *schemaNode) identityObject(class string, object map[string]any) any {
	out := map[string]any{}
	for key, v := range object {
		child := n.Properties[key]
		if child == nil {
			continue
		}
		if part := child.identity(class, v); part != nil {
			out[key] = part
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// normal brings text to lower case with single blanks, and sorts lists: every list of class A is a set.
func normal(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ToLower(strings.Join(strings.Fields(v), " "))
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = normal(v[i])
		}
		slices.SortFunc(out, func(a, b any) int {
			x, _ := canonicalJSON(a)
			y, _ := canonicalJSON(b)
			return bytes.Compare(x, y)
		})
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[key] = normal(v[key])
		}
		return out
	}
	return v
}

func equalJSON(a, b any) bool {
	x, errX := canonicalJSON(a)
	y, errY := canonicalJSON(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// canonicalJSON relies on encoding/json sorting the keys of maps and writing the shortest text of a float64.
func canonicalJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write canonical JSON: %w", err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}
