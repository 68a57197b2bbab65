package extxyz

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/fedlam/fedlam/dataset"
)

// frame reads the key=value line and the n atom lines of a frame.
func (r *Reader) frame(n int) (dataset.Raw, error) {
	line, err := r.text()
	if err != nil {
		return dataset.Raw{}, r.truncated(err)
	}
	pairs, err := parseComment(strings.TrimSpace(string(line)))
	if err != nil && isPlain(line) {
		pairs, err = comment{}, nil // plain XYZ: the line is free text
	}
	if err != nil {
		return dataset.Raw{}, r.bad("comment", err)
	}
	raw := dataset.Raw{Source: r.name, Index: r.index}
	if err := r.info(&raw, pairs); err != nil {
		return dataset.Raw{}, err
	}
	properties, ok := pairs["Properties"]
	if !ok {
		properties = defaultColumns
	}
	columns, err := parseLayout(properties)
	if err != nil {
		return dataset.Raw{}, r.bad("comment", err)
	}
	if err := r.atoms(&raw, columns, n); err != nil {
		return dataset.Raw{}, err
	}
	return raw, nil
}

// isPlain tells a free comment of plain XYZ from a key=value line with a mistake.
func isPlain(line []byte) bool {
	text := string(line)
	return !strings.Contains(text, "Properties") && !strings.Contains(text, "Lattice")
}

// info takes the labels and the boundaries of the whole frame.
func (r *Reader) info(raw *dataset.Raw, pairs comment) error {
	var err error
	if raw.Cell, raw.Periodic, err = boundary(pairs); err != nil {
		return r.bad("comment", err)
	}
	energy, err := numbers(pairs, r.keys.Energy, 1)
	if err != nil {
		return r.bad("comment", err)
	}
	if energy != nil {
		raw.Energy = &energy[0]
	}
	r.stressLabel = r.stressKey(pairs)
	if raw.Stress, err = numbers(pairs, r.stressLabel, 6, 9); err != nil {
		return r.bad("comment", err)
	}
	if raw.FParam, err = numbers(pairs, r.keys.FParam); err != nil {
		return r.bad("comment", err)
	}
	if text, ok := pairs[r.keys.FormulaUnits]; ok && r.conv != nil && r.conv.Energy.Per == dataset.PerFormulaUnit {
		if raw.FormulaUnits, err = strconv.Atoi(text); err != nil {
			return r.bad("comment", fmt.Errorf("key %s is not a whole number", short(r.keys.FormulaUnits)))
		}
	}
	return nil
}

// stressKey names the key that holds the stress label, or "" if none is to be read.
func (r *Reader) stressKey(pairs comment) string {
	switch {
	case r.conv == nil:
		if _, ok := pairs[r.keys.Virial]; ok {
			return r.keys.Virial
		}
		return r.keys.Stress
	case r.conv.Stress == nil || r.conv.Stress.Present == dataset.PresentNone || r.conv.Stress.Present == "":
		return ""
	case r.conv.Stress.Quantity == dataset.Virial:
		return r.keys.Virial
	}
	return r.keys.Stress
}

// numbers returns the list of numbers under key, nil if the key is absent or empty. Counts are the lengths allowed.
func numbers(pairs comment, key string, counts ...int) ([]float64, error) {
	text, ok := pairs[key]
	if !ok || key == "" {
		return nil, nil
	}
	words := list(text)
	if len(words) == 0 {
		return nil, nil
	}
	if len(counts) > 0 && !slices.Contains(counts, len(words)) {
		return nil, fmt.Errorf("key %s has %d numbers, want one of %v", short(key), len(words), counts)
	}
	out := make([]float64, len(words))
	for i, word := range words {
		v, err := parseReal(word)
		if err != nil {
			return nil, fmt.Errorf("key %s, number %d: %w", short(key), i+1, err)
		}
		out[i] = v
	}
	return out, nil
}

func boundary(pairs comment) (*[9]float64, dataset.Periodicity, error) {
	var cell *[9]float64
	lattice, err := numbers(pairs, "Lattice", 9)
	if err != nil {
		return nil, 0, err
	}
	if lattice != nil {
		c := [9]float64(lattice)
		cell = &c
	}
	text, ok := pairs["pbc"]
	if !ok && cell == nil {
		return nil, dataset.Open, nil
	}
	if !ok {
		return cell, dataset.Unstated, nil
	}
	words := list(text)
	if len(words) == 1 {
		words = []string{words[0], words[0], words[0]}
	}
	if len(words) != 3 {
		return nil, 0, errors.New("pbc does not have one or three words")
	}
	count := 0
	for _, word := range words {
		switch strings.ToLower(word) {
		case "t", "true", "1":
			count++
		case "f", "false", "0":
		default:
			return nil, 0, errors.New("pbc: want T or F for each axis")
		}
	}
	switch count {
	case 0:
		return cell, dataset.Open, nil
	case 3:
		return cell, dataset.Periodic, nil
	}
	return nil, 0, fmt.Errorf("pbc: periodic along %d of 3 axes; slabs and wires are not supported, use vacuum and pbc=\"T T T\"", count)
}

// atoms reads the lines of the atoms. Slices grow with the lines that are really there: the count of a hostile file
// allocates nothing.
func (r *Reader) atoms(raw *dataset.Raw, l *layout, n int) error {
	species, pos, err := required(l)
	if err != nil {
		return r.bad("comment", err)
	}
	forces, err := l.reals(r.forcesKey(l), 3)
	if err != nil {
		return r.bad("comment", err)
	}
	aparam, err := l.reals(r.keys.AParam, 0)
	if err != nil {
		return r.bad("comment", err)
	}
	if forces == nil && n > 1 && r.conv != nil && r.conv.Forces != nil && r.conv.Forces.Present == dataset.PresentAll {
		return r.bad("comment", fmt.Errorf(`no column %s for the forces; columns are: %s; name the right one in "keys.forces" of the convention`, short(r.keys.Forces), l.names()))
	}
	for range n {
		words, err := r.row(l)
		if err != nil {
			return err
		}
		symbol, err := symbolOf(words[species.start], species.kind)
		if err != nil {
			return r.bad("species", err)
		}
		raw.Species = append(raw.Species, r.intern(symbol))
		for _, field := range []struct {
			column *column
			data   *[]float64
		}{{pos, &raw.Positions}, {forces, &raw.Forces}, {aparam, &raw.AParam}} {
			if field.column == nil {
				continue
			}
			if *field.data, err = field.column.appendReals(*field.data, words); err != nil {
				return r.bad("atom", err)
			}
		}
	}
	return nil
}

// forcesKey names the column of the forces; without a convention ASE's older name is taken too.
func (r *Reader) forcesKey(l *layout) string {
	if r.conv == nil && l.find(r.keys.Forces) == nil && l.find("force") != nil {
		return "force"
	}
	return r.keys.Forces
}

func required(l *layout) (species, pos *column, err error) {
	species = l.find("species")
	if species == nil || species.kind != 'S' {
		if species = l.find("Z"); species == nil || species.kind != 'I' {
			return nil, nil, errors.New("no column species:S:1 or Z:I:1 in Properties")
		}
	}
	if species.count != 1 {
		return nil, nil, fmt.Errorf("column %s has %d words, want 1", short(species.name), species.count)
	}
	if pos, err = l.reals("pos", 3); err == nil && pos == nil {
		err = errors.New("no column pos:R:3 in Properties")
	}
	return species, pos, err
}

// row splits the next line into exactly the words that Properties promises.
func (r *Reader) row(l *layout) ([]string, error) {
	line, err := r.text()
	if err != nil {
		return nil, r.truncated(err)
	}
	r.words = append(r.words[:0], strings.Fields(string(line))...)
	if len(r.words) != l.words {
		return nil, r.bad("atom", fmt.Errorf("%d words, but Properties promises %d", len(r.words), l.words))
	}
	return r.words, nil
}

// intern returns one copy of a type name for the whole file, so that frames do not hold on to the lines they came from.
func (r *Reader) intern(symbol string) string {
	if known, ok := r.symbols[symbol]; ok {
		return known
	}
	if len(r.symbols) > 1000 {
		clear(r.symbols)
	}
	symbol = strings.Clone(symbol)
	r.symbols[symbol] = symbol
	return symbol
}

// symbolOf returns the type name of an atom: text, or the symbol of an atomic number. X is a virtual atom.
func symbolOf(word string, kind byte) (string, error) {
	if kind == 'I' {
		z, err := strconv.Atoi(word)
		symbol, ok := dataset.Symbol(z)
		if err != nil || !ok {
			return "", errors.New("not an atomic number")
		}
		return symbol, nil
	}
	if word == "X" {
		return "", nil
	}
	return word, checkName(word)
}

func checkName(word string) error {
	if word == "" || len(word) > 32 || strings.ContainsFunc(word, func(c rune) bool { return c == ' ' || c == unicode.ReplacementChar || !unicode.IsPrint(c) }) {
		return errors.New("a type name must be printable, without blanks and at most 32 bytes long")
	}
	return nil
}
