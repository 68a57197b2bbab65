package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrBadConvention is wrapped by every error about the contents of a convention.
var ErrBadConvention = errors.New("bad label convention")

// maxConventionBytes bounds a convention file; real ones have one or two kilobytes.
const maxConventionBytes = 1 << 20

// ReadConvention reads the convention file at path.
func ReadConvention(path string) (*Convention, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read label convention: %w", err)
	}
	defer f.Close()
	c, err := DecodeConvention(f)
	if err != nil {
		return nil, fmt.Errorf("read label convention %q: %w", path, err)
	}
	return c, nil
}

// DecodeConvention reads one convention as JSON. It is strict, since what it reads becomes an identity: a key that the
// schema does not know, a key given twice, a word outside a list of choices and text after the end are errors that
// name the key.
func DecodeConvention(r io.Reader) (*Convention, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxConventionBytes+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxConventionBytes {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrBadConvention, maxConventionBytes)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, fmt.Errorf("%w: the file is empty", ErrBadConvention)
	}
	tree, err := decodeTree(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadConvention, err)
	}
	schema, err := conventionSchema()
	if err != nil {
		return nil, err
	}
	if err := schema.check("", tree); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadConvention, err)
	}
	c := new(Convention)
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadConvention, err)
	}
	return c, c.checkMeaning()
}

// Validate checks a convention that was put together in a program: words, required fields, contradictions.
func (c *Convention) Validate() error {
	tree, err := c.tree()
	if err != nil {
		return err
	}
	schema, err := conventionSchema()
	if err != nil {
		return err
	}
	if err := schema.check("", tree); err != nil {
		return fmt.Errorf("%w: %w", ErrBadConvention, err)
	}
	return c.checkMeaning()
}

// checkMeaning finds contradictions that the schema cannot express.
func (c *Convention) checkMeaning() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrBadConvention, fmt.Sprintf(format, args...))
	}
	if c.Method.Name == "" {
		return bad(`"method.name" is empty; give the level of theory, such as "PBE-D3"`)
	}
	if c.Provenance.License == "" {
		return bad(`"provenance.license" is empty; give an SPDX identifier`)
	}
	keys := c.FileKeys()
	for _, name := range []string{keys.Energy, keys.Forces, keys.Virial, keys.Stress, keys.FParam, keys.AParam, keys.FormulaUnits} {
		if strings.ContainsAny(name, " \t\r\n=:,\"'\\[]{}") {
			return bad(`"keys" holds %s; a name in a file has no blanks, quotes, brackets, commas, colons or equals signs`, brief(name))
		}
	}
	s := c.Stress
	if s == nil || s.presence() == PresentNone {
		return nil
	}
	if s.Quantity == "" || s.Unit == "" {
		return bad(`"stress" needs "quantity" and "unit" where frames have one; without them the sign and the scale would be guessed`)
	}
	if s.VolumeNormalized != nil && *s.VolumeNormalized == s.Unit.isEnergy() {
		return bad(`"stress.volume_normalized" is %t but "stress.unit" is %s; one of the two is wrong`, *s.VolumeNormalized, s.Unit)
	}
	return nil
}

// tree returns c as the generic value that its JSON text decodes to.
func (c *Convention) tree() (any, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadConvention, err)
	}
	return decodeTree(text)
}

// decodeTree decodes JSON into maps, slices, strings, float64, bool and nil, and refuses a key given twice.
func decodeTree(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	v, err := decodeValue(dec, "", 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("text after the end of the convention")
	}
	return v, nil
}

func decodeValue(dec *json.Decoder, path string, depth int) (any, error) {
	if depth > 16 {
		return nil, fmt.Errorf("%s is nested too deeply", path)
	}
	token, err := dec.Token()
	if err != nil {
		return nil, notJSON(dec, err)
	}
	switch token {
	case json.Delim('{'):
		return decodeObject(dec, path, depth)
	case json.Delim('['):
		array := []any{}
		for dec.More() {
			v, err := decodeValue(dec, path, depth+1)
			if err != nil {
				return nil, err
			}
			array = append(array, v)
		}
		return array, closing(dec)
	}
	return token, nil
}

func decodeObject(dec *json.Decoder, path string, depth int) (any, error) {
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, notJSON(dec, err)
		}
		key, ok := token.(string)
		if !ok {
			return nil, fmt.Errorf("not JSON near byte %d: a key must be a string", dec.InputOffset())
		}
		if _, twice := object[key]; twice {
			return nil, fmt.Errorf("key %s is given twice", join(path, key))
		}
		if object[key], err = decodeValue(dec, join(path, key), depth+1); err != nil {
			return nil, err
		}
	}
	return object, closing(dec)
}

// closing reads the bracket that ends an array or object.
func closing(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return notJSON(dec, err)
	}
	return nil
}

func notJSON(dec *json.Decoder, err error) error {
	return fmt.Errorf("not JSON near byte %d: %w", dec.InputOffset(), noEOF(err))
}

// noEOF keeps a truncated text from looking like a clean end to callers that test for io.EOF.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
