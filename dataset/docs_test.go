package dataset_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/dataset"
)

// conventionsPage is the page for those who write conventions.
func conventionsPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/label-conventions.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPageExamples reads the examples of the page and holds its keys and its identity against what the program makes.
func TestPageExamples(t *testing.T) {
	page := conventionsPage(t)
	var keys []dataset.Key
	var identities []string
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatchIndex(page, -1) {
		c, err := dataset.DecodeConvention(strings.NewReader(page[block[2]:block[3]]))
		if err != nil {
			t.Fatalf("example %d: %v", len(keys), err)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("example %d: %v", len(keys), err)
		}
		key := keyOf(t, c, nil)
		before := page[:block[0]]
		if section := before[strings.LastIndex(before, "\n### "):]; !strings.Contains(section, "`"+string(key)+"`") {
			t.Errorf("example %d has the key %s, which the page does not say", len(keys), key)
		}
		identity, err := c.Identity()
		if err != nil {
			t.Fatal(err)
		}
		keys, identities = append(keys, key), append(identities, string(identity))
	}
	if len(keys) != 3 || keys[0] != keys[1] || keys[0] == keys[2] {
		t.Fatalf("the examples have the keys %v; want three, of which the first two are equal", keys)
	}
	shown := regexp.MustCompile("(?s)```identity\n(.*?)\n```").FindStringSubmatch(page)
	if shown == nil || shown[1] != identities[0] {
		t.Errorf("the page shows the identity %q, want %s", shown, identities[0])
	}
}

// TestPageExamplesConvert stores one frame under the first two examples, which the page says are the same labels.
func TestPageExamplesConvert(t *testing.T) {
	page := conventionsPage(t)
	frame := dataset.Frame{Species: []string{"O", "H", "H"}, Positions: []float64{0, 0, 0, 1, 0, 0, 0, 1, 0}, Cell: &[9]float64{9, 0, 0, 1, 9, 0, 0, 0, 9},
		Energy: ptr(-14), Forces: []float64{1, 2, 3, -1, 0, 0, 0, -2, -3}, Virial: &[9]float64{1, 2, 3, 2, 4, 5, 3, 5, 6}}
	for k, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(page, -1)[:2] {
		c, err := dataset.DecodeConvention(strings.NewReader(block[1]))
		if err != nil {
			t.Fatal(err)
		}
		stored, err := c.Relabel(frame)
		if err != nil {
			t.Fatal(err)
		}
		back, err := c.Canonical(stored)
		if err != nil {
			t.Fatal(err)
		}
		near(t, fmt.Sprintf("example %d: energy", k), *back.Energy, -14)
		near(t, fmt.Sprintf("example %d: force", k), back.Forces[2], 3)
		near(t, fmt.Sprintf("example %d: virial", k), back.Virial[5], 5)
		if k == 1 && *stored.Energy == -14 {
			t.Error("the second example stores energies as the first does")
		}
	}
}

// TestPageListsEveryField holds the tables of the page against the schema: every field with its class, its words, and
// whether it is required.
func TestPageListsEveryField(t *testing.T) {
	var schema schemaField
	if err := json.Unmarshal(dataset.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	schema.rows("", "", want)
	got := map[string]string{}
	for line := range strings.Lines(conventionsPage(t)) {
		cells := strings.Split(line, "|")
		if len(cells) != 7 || !strings.Contains(cells[1], "`") {
			continue
		}
		name := strings.Trim(strings.TrimSpace(cells[1]), "*`")
		required := strings.Contains(cells[1], "**")
		if _, twice := got[name]; twice {
			t.Errorf("%s is in the tables twice", name)
		}
		words := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[3], -1)
		var list []string
		for _, w := range words {
			list = append(list, w[1])
		}
		got[name] = describe(strings.TrimSpace(cells[2]), required, list)
	}
	for name, row := range want {
		if got[name] != row {
			t.Errorf("%s: the page says %q, want %q", name, got[name], row)
		}
	}
	for name := range got {
		if want[name] == "" {
			t.Errorf("%s is on the page and not in the schema", name)
		}
	}
}

// A schemaField is the part of the schema that the tables show.
type schemaField struct {
	Class      string `json:"x-class"`
	Type       any    `json:"type"`
	Enum       []any  `json:"enum"`
	Const      any    `json:"const"`
	Required   []string
	Properties map[string]*schemaField
	Items      *schemaField
}

// rows describes the fields below s.
func (s *schemaField) rows(path, class string, into map[string]string) {
	if s.Class != "" {
		class = s.Class
	}
	for name, field := range s.Properties {
		full := strings.TrimPrefix(path+"."+name, ".")
		own := field.Class
		if own == "" {
			own = class
		}
		into[full] = describe(own, slices.Contains(s.Required, name), field.words())
		field.rows(full, own, into)
		if field.Items != nil {
			field.Items.rows(full+"[]", own, into)
		}
	}
}

// words lists the choices of a field in the order of the schema.
func (s *schemaField) words() (out []string) {
	choices := s.Enum
	switch {
	case s.Const != nil:
		choices = []any{s.Const}
	case s.Type == "boolean":
		choices = []any{true, false}
	case fmt.Sprint(s.Type) == "[boolean null]":
		choices = []any{true, false, "null"}
	case s.Items != nil:
		choices = s.Items.Enum
	}
	for _, c := range choices {
		out = append(out, fmt.Sprint(c))
	}
	return out
}

func describe(class string, required bool, words []string) string {
	if class == "" {
		class = "–"
	}
	return fmt.Sprintf("class %s, required %t, %s", class, required, strings.Join(words, " "))
}
