package weights

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// WriteYAML writes a tree so that DeePMD-kit and ReadYAML get every value back to the last bit. Maps are written
// in block style in their own order, lists of scalars and the numbers of arrays in brackets.
func WriteYAML(w io.Writer, t *Tree) error {
	y := yamlWriter{w: bufio.NewWriter(w)}
	y.node(t, 0)
	y.text("\n")
	if y.err == nil {
		y.err = y.w.Flush()
	}
	if y.err != nil {
		return fmt.Errorf("write model tree: %w", y.err)
	}
	return nil
}

// yamlWriter keeps the first error and does nothing after it.
type yamlWriter struct {
	w   *bufio.Writer
	err error
}

func (y *yamlWriter) text(parts ...string) {
	for _, p := range parts {
		if y.err == nil {
			_, y.err = y.w.WriteString(p)
		}
	}
}

func (y *yamlWriter) newLine(indent int) { y.text("\n", strings.Repeat("  ", indent)) }

// node writes a value whose first character goes where the writer stands; further lines start at indent.
func (y *yamlWriter) node(t *Tree, indent int) {
	switch {
	case t == nil:
		y.text("null")
	case t.Kind == ArrayKind:
		y.array(t.Array, indent)
	case t.Kind == Map && len(t.Fields) > 0:
		for k, f := range t.Fields {
			if k > 0 {
				y.newLine(indent)
			}
			y.text(quoteText(f.Key), ":")
			y.child(f.Value, indent)
		}
	case t.Kind == List && !t.flat():
		for k, item := range t.Items {
			if k > 0 {
				y.newLine(indent)
			}
			y.text("- ")
			y.node(item, indent+1)
		}
	default:
		y.scalar(t)
	}
}

// child writes the value of a key: on the same line where it is short, indented below otherwise.
func (y *yamlWriter) child(t *Tree, indent int) {
	if t != nil && (t.Kind == ArrayKind || t.Kind == Map && len(t.Fields) > 0 || t.Kind == List && !t.flat()) {
		y.newLine(indent + 1)
		y.node(t, indent+1)
		return
	}
	y.text(" ")
	y.scalar(t)
}

// flat says whether a list holds scalars only.
func (t *Tree) flat() bool {
	for _, item := range t.Items {
		if item != nil && (item.Kind == List && len(item.Items) > 0 || item.Kind == Map || item.Kind == ArrayKind) {
			return false
		}
	}
	return true
}

func (y *yamlWriter) scalar(t *Tree) {
	if t == nil {
		y.text("null")
		return
	}
	switch t.Kind {
	case Null:
		y.text("null")
	case Bool:
		y.text(strconv.FormatBool(t.Bool))
	case Int:
		y.text(strconv.FormatInt(t.Int, 10))
	case Float:
		y.text(formatFloat(t.Float))
	case String:
		y.text(quoteText(t.Text))
	case Map:
		y.text("{}")
	case List:
		y.text("[")
		for k, item := range t.Items {
			if k > 0 {
				y.text(", ")
			}
			y.scalar(item)
		}
		y.text("]")
	}
}

func (y *yamlWriter) array(a *Array, indent int) {
	y.text("'@class': np.ndarray")
	y.newLine(indent)
	y.text("'@is_variable': true")
	y.newLine(indent)
	y.text("'@version': 1")
	y.newLine(indent)
	y.text("dtype: ", a.Dtype)
	y.newLine(indent)
	y.text("value: ")
	format := formatFloat
	if strings.HasPrefix(a.Dtype, "int") {
		format = func(v float64) string { return strconv.FormatInt(int64(v), 10) }
	}
	y.numbers(a.Shape, a.Data, format, indent+1)
}

// numbers writes nested lists, a line for each innermost one.
func (y *yamlWriter) numbers(shape []int, data []float64, format func(float64) string, indent int) {
	if len(shape) == 0 {
		y.text(format(data[0]))
		return
	}
	y.text("[")
	part := 0
	if shape[0] > 0 {
		part = len(data) / shape[0]
	}
	for k := range shape[0] {
		if k > 0 {
			y.text(",")
			if len(shape) > 1 {
				y.newLine(indent)
			} else {
				y.text(" ")
			}
		}
		y.numbers(shape[1:], data[k*part:(k+1)*part], format, indent)
	}
	y.text("]")
}

// formatFloat writes the shortest decimals that read back the same, in the only spelling that YAML 1.1 parsers
// take for a number: with a point, and with a sign in the exponent.
func formatFloat(v float64) string {
	switch {
	case math.IsNaN(v):
		return ".nan"
	case math.IsInf(v, 1):
		return ".inf"
	case math.IsInf(v, -1):
		return "-.inf"
	}
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-4 || a >= 1e16) {
		format = 'e'
	}
	text := strconv.FormatFloat(v, format, -1, 64)
	if strings.Contains(text, ".") {
		return text
	}
	mantissa, exponent, found := strings.Cut(text, "e")
	if found {
		return mantissa + ".0e" + exponent
	}
	return mantissa + ".0"
}

var plainText = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_/()+-]*(\.[A-Za-z0-9_]+)*$`)

// quoteText writes text plain where no YAML parser can take it for anything else, and in double quotes otherwise.
func quoteText(text string) string {
	switch strings.ToLower(text) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return strconv.Quote(text)
	}
	if plainText.MatchString(text) {
		return text
	}
	return quoteEscaped(text)
}

// quoteEscaped uses only escapes that YAML and JSON share.
func quoteEscaped(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0xd800 && r < 0xe000 || r == 0xfeff || r == 0xfffe || r == 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
