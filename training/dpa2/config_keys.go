package dpa2

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// checkKeys returns data without comment keys, or an error that names the first key that no section has.
func checkKeys(data []byte) ([]byte, error) {
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		return nil, err
	}
	if err := checkSection("", tree, reflect.TypeFor[Config]()); err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}

// checkSection compares the keys of section with the JSON names of a struct type, and drops comments from it.
func checkSection(path string, section map[string]any, typ reflect.Type) error {
	fields := map[string]reflect.Type{}
	for i := range typ.NumField() {
		name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		fields[name] = typ.Field(i).Type
	}
	keys := slices.Sorted(func(yield func(string) bool) {
		for k := range section {
			if !yield(k) {
				return
			}
		}
	})
	for _, key := range keys {
		if strings.HasPrefix(key, "_") {
			delete(section, key)
			continue
		}
		field, ok := fields[key]
		if !ok {
			return fmt.Errorf("unknown key %q; did you mean %q?", path+key, path+nearest(key, fields))
		}
		inner, isMap := section[key].(map[string]any)
		if field.Kind() == reflect.Struct && isMap {
			if err := checkSection(path+key+".", inner, field); err != nil {
				return err
			}
		}
	}
	return nil
}

// nearest returns the known name at the smallest edit distance; ties go to the alphabetically first.
func nearest(key string, known map[string]reflect.Type) string {
	best, bestDist := "", 1<<30
	for name := range known {
		if d := editDistance(key, name); d < bestDist || d == bestDist && name < best {
			best, bestDist = name, d
		}
	}
	return best
}

// editDistance is the Levenshtein distance of a and b in bytes.
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j+1]+1, row[j]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
