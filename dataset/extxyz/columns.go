package extxyz

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A column is one group of the Properties pair: name, type letter and number of words.
type column struct {
	name  string
	kind  byte // S text, R real, I integer, L logical
	start int  // first word
	count int
}

const (
	maxColumns     = 4096 // words of an atom line; descriptors stored per atom reach hundreds
	defaultColumns = "species:S:1:pos:R:3"
)

// A layout is the parsed Properties pair.
type layout struct {
	columns []column
	words   int
}

func parseLayout(text string) (*layout, error) {
	parts := strings.Split(text, ":")
	if len(parts)%3 != 0 {
		return nil, errors.New("the value of Properties is not a list of name:type:count")
	}
	l := new(layout)
	for i := 0; i < len(parts); i += 3 {
		name, kind := parts[i], parts[i+1]
		if l.find(name) != nil || name == "" {
			return nil, fmt.Errorf("the name of column %s in Properties is empty or given twice", short(name))
		}
		if kind != "S" && kind != "R" && kind != "I" && kind != "L" {
			return nil, fmt.Errorf("column %s has a type other than S, R, I, L", short(name))
		}
		count, err := strconv.Atoi(parts[i+2])
		if err != nil || count < 1 || l.words+count > maxColumns {
			return nil, fmt.Errorf("column %s has a width outside 1 to %d", short(name), maxColumns)
		}
		l.columns = append(l.columns, column{name: name, kind: kind[0], start: l.words, count: count})
		l.words += count
	}
	return l, nil
}

func (l *layout) find(name string) *column {
	for i := range l.columns {
		if l.columns[i].name == name {
			return &l.columns[i]
		}
	}
	return nil
}

// reals returns the column of this name if it is there, and an error if it is not numbers or not count wide.
func (l *layout) reals(name string, count int) (*column, error) {
	c := l.find(name)
	switch {
	case c == nil:
		return nil, nil
	case c.kind != 'R' && c.kind != 'I':
		return nil, fmt.Errorf("column %s is not numeric", short(name))
	case count > 0 && c.count != count:
		return nil, fmt.Errorf("column %s has %d words, want %d", short(name), c.count, count)
	}
	return c, nil
}

func (l *layout) names() string {
	var names []string
	for _, c := range l.columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// appendReals parses the column's words of an atom line.
func (c *column) appendReals(to []float64, words []string) ([]float64, error) {
	for _, word := range words[c.start : c.start+c.count] {
		v, err := parseReal(word)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", short(c.name), err)
		}
		to = append(to, v)
	}
	return to, nil
}

var (
	errNotNumber = errors.New("not a number; repair the line, or correct Properties if it misses a column")
	errNotFinite = errors.New("NaN or infinite; take the frame out, or calculate it anew")
)

// parseReal reads a number; Fortran's exponent letter D is accepted. Errors do not hold the text.
func parseReal(word string) (float64, error) {
	v, err := strconv.ParseFloat(word, 64)
	if errors.Is(err, strconv.ErrSyntax) && strings.ContainsAny(word, "dD") {
		v, err = strconv.ParseFloat(strings.Map(fortranExponent, word), 64)
	}
	if errors.Is(err, strconv.ErrSyntax) {
		return 0, errNotNumber
	}
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, errNotFinite
	}
	return v, nil
}

func fortranExponent(r rune) rune {
	if r == 'd' || r == 'D' {
		return 'e'
	}
	return r
}
