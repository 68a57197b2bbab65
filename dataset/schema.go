package dataset

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

//go:embed label_convention.schema.json
var schemaText []byte

// Schema returns the JSON Schema (2020-12) of convention files.
func Schema() []byte { return slices.Clone(schemaText) }

// conventionSchema is parsed once, when the first convention is read.
var conventionSchema = sync.OnceValues(func() (*schemaNode, error) {
	root := new(schemaNode)
	if err := json.Unmarshal(schemaText, root); err != nil {
		return nil, fmt.Errorf("parse the embedded convention schema: %w", err)
	}
	return root, nil
})

// A schemaNode is the part of JSON Schema that the convention schema uses. One reading differs on purpose: a key that
// "properties" does not list is refused, since a misspelt key would otherwise mean its default.
type schemaNode struct {
	Type       any                    `json:"type"` // a word or a list of words
	Enum       []any                  `json:"enum"`
	Const      any                    `json:"const"`
	Default    json.RawMessage        `json:"default"`
	Required   []string               `json:"required"`
	Properties map[string]*schemaNode `json:"properties"`
	Additional *schemaNode            `json:"additionalProperties"`
	Items      *schemaNode            `json:"items"`
	MinItems   *int                   `json:"minItems"`
	MaxItems   *int                   `json:"maxItems"`
	Class      string                 `json:"x-class"`
}

// check reports the first fault of v, in the order of the keys. Path names v in messages.
func (n *schemaNode) check(path string, v any) error {
	if words := n.types(); len(words) > 0 && !slices.Contains(words, typeWord(v)) {
		return fmt.Errorf("%s is %s, want %s", path, typeWord(v), strings.Join(words, " or "))
	}
	if n.Const != nil && !reflect.DeepEqual(v, n.Const) {
		return fmt.Errorf("%s must be %v", path, n.Const)
	}
	if n.Enum != nil && !slices.ContainsFunc(n.Enum, func(e any) bool { return reflect.DeepEqual(e, v) }) {
		return fmt.Errorf("%s: %s is not known; choose one of %s", path, brief(v), list(n.Enum))
	}
	switch v := v.(type) {
	case map[string]any:
		return n.checkObject(path, v)
	case []any:
		return n.checkArray(path, v)
	}
	return nil
}

func (n *schemaNode) checkObject(path string, object map[string]any) error {
	for _, key := range n.Required {
		if _, ok := object[key]; !ok {
			return fmt.Errorf("%s is missing", join(path, key))
		}
	}
	for _, key := range slices.Sorted(maps.Keys(object)) {
		child := n.Properties[key]
		if child == nil {
			child = n.Additional
		}
		if child == nil {
			return fmt.Errorf("unknown key %s; known there: %s", join(path, key), strings.Join(slices.Sorted(maps.Keys(n.Properties)), ", "))
		}
		if err := child.check(join(path, key), object[key]); err != nil {
			return err
		}
	}
	return nil
}

func (n *schemaNode) checkArray(path string, array []any) error {
	if n.MinItems != nil && len(array) < *n.MinItems || n.MaxItems != nil && len(array) > *n.MaxItems {
		return fmt.Errorf("%s has %d entries, want %d", path, len(array), *n.MinItems)
	}
	if n.Items == nil {
		return nil
	}
	for i, v := range array {
		if err := n.Items.check(fmt.Sprintf("%s[%d]", path, i), v); err != nil {
			return err
		}
	}
	return nil
}

func (n *schemaNode) types() []string {
	switch t := n.Type.(type) {
	case string:
		return []string{t}
	case []any:
		var words []string
		for _, w := range t {
			words = append(words, fmt.Sprint(w))
		}
		return words
	}
	return nil
}

func typeWord(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}

func join(path, key string) string {
	if path == "" {
		return fmt.Sprintf("%q", key)
	}
	return fmt.Sprintf("%q", strings.Trim(path, `"`)+"."+key)
}

// brief shows a word of a convention file in a message, cut to a sane length.
func brief(v any) string {
	text := fmt.Sprintf("%q", fmt.Sprint(v))
	if len(text) > 60 {
		text = text[:60] + `..."`
	}
	return text
}

func list(words []any) string {
	var out []string
	for _, w := range words {
		out = append(out, fmt.Sprint(w))
	}
	return strings.Join(out, ", ")
}
