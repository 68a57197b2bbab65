package extxyz

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// errComment is wrapped by errors about the syntax of the second line of a frame.
var errComment = errors.New("key=value line")

// A comment is the parsed second line of a frame. A key without a value has the value "T".
type comment map[string]string

// parseComment splits the line into pairs. Quotes and brackets around values are removed, escapes in quotes resolved.
func parseComment(line string) (comment, error) {
	c := comment{}
	s := scanner{line: line}
	for {
		s.blanks()
		if s.done() {
			return c, nil
		}
		key, err := s.key()
		if err != nil {
			return nil, err
		}
		value := "T"
		if s.equals() {
			if value, err = s.value(key); err != nil {
				return nil, err
			}
		}
		if _, twice := c[key]; twice {
			return nil, fmt.Errorf("%w: key %s is given twice", errComment, short(key))
		}
		c[key] = value
	}
}

type scanner struct {
	line string
	at   int
}

func (s *scanner) done() bool { return s.at >= len(s.line) }

func (s *scanner) blanks() {
	for !s.done() && isBlank(s.line[s.at]) {
		s.at++
	}
}

func (s *scanner) key() (string, error) {
	if c := s.line[s.at]; c == '"' || c == '\'' {
		return s.quoted(c)
	}
	start := s.at
	for !s.done() && !isBlank(s.line[s.at]) && s.line[s.at] != '=' {
		s.at++
	}
	if s.at == start {
		return "", fmt.Errorf("%w: a value without a key at column %d", errComment, start+1)
	}
	return s.line[start:s.at], nil
}

// equals consumes an equals sign, with blanks around it; without one it consumes nothing.
func (s *scanner) equals() bool {
	start := s.at
	s.blanks()
	if s.done() || s.line[s.at] != '=' {
		s.at = start
		return false
	}
	s.at++
	s.blanks()
	return true
}

func (s *scanner) value(key string) (string, error) {
	if s.done() {
		return "", fmt.Errorf("%w: key %s has no value after its equals sign", errComment, short(key))
	}
	switch c := s.line[s.at]; c {
	case '"', '\'':
		return s.quoted(c)
	case '[', '{':
		return s.bracketed(key)
	}
	start := s.at
	for !s.done() && !isBlank(s.line[s.at]) {
		s.at++
	}
	return s.line[start:s.at], nil
}

func (s *scanner) quoted(quote byte) (string, error) {
	start := s.at
	var out strings.Builder
	for s.at++; !s.done(); s.at++ {
		switch c := s.line[s.at]; {
		case c == quote:
			s.at++
			return out.String(), nil
		case c == '\\' && s.at+1 < len(s.line):
			s.at++
			if s.line[s.at] == 'n' {
				out.WriteByte('\n')
			} else {
				out.WriteByte(s.line[s.at])
			}
		default:
			out.WriteByte(c)
		}
	}
	return "", fmt.Errorf("%w: the quotation that starts at column %d does not end", errComment, start+1)
}

// bracketed reads [1, 2] or {1 2}, nested, and returns what is inside with commas and brackets as blanks.
func (s *scanner) bracketed(key string) (string, error) {
	start, depth := s.at, 0
	for ; !s.done(); s.at++ {
		switch s.line[s.at] {
		case '[', '{':
			depth++
		case ']', '}':
			depth--
		}
		if depth == 0 {
			s.at++
			return flatten(s.line[start:s.at]), nil
		}
	}
	return "", fmt.Errorf("%w: the list of key %s does not end", errComment, short(key))
}

// flatten turns the brackets and commas of a list into blanks.
func flatten(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if strings.ContainsRune("[]{},", r) {
			return ' '
		}
		return r
	}, text))
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' }

// short quotes a name of the file for a message: printable, and not longer than a name should be.
func short(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, name)
	if runes := []rune(name); len(runes) > 40 {
		name = string(runes[:40]) + "..."
	}
	return fmt.Sprintf("%q", name)
}

// list returns the words of a value that may be a quoted list of numbers, a bracketed list or _JSON.
func list(value string) []string {
	value = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(value), "_JSON"))
	return strings.Fields(flatten(value))
}
