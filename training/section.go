package training

import "encoding/json"

// Section gives a table of a TOML file, as decoded, to a reader of the same section in JSON, such as dpa2.ParseConfig. A
// missing table is an empty one, which gives the reader's defaults or its complaint about what is required.
func Section[T any](table map[string]any, parse func([]byte) (T, error)) (out T, err error) {
	if table == nil {
		table = map[string]any{}
	}
	text, err := json.Marshal(table)
	if err != nil {
		return out, err
	}
	return parse(text)
}
