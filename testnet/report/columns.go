package report

import (
	"strings"
	"unicode/utf8"
)

const gap = 2 // blanks between columns

// A table lines up columns. A text that is followed by an empty cell stands to the left and may run over it.
type table struct {
	align string // a letter for each column: l or r
	rows  [][]string
}

func (t *table) row(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) print(b *strings.Builder) {
	width := t.widths()
	for _, row := range t.rows {
		line, start := "", 0
		for k, cell := range row {
			at := start
			if t.align[k] == 'r' && !runsOn(row, k) {
				at += width[k] - utf8.RuneCountInString(cell)
			}
			if cell != "" {
				line += strings.Repeat(" ", max(0, at-utf8.RuneCountInString(line))) + cell
			}
			start += width[k] + gap
		}
		b.WriteString(line + "\n")
	}
}

// runsOn tells whether a cell may use the place of the next.
func runsOn(row []string, k int) bool { return k+1 < len(row) && row[k+1] == "" }

// widths are those of the longest cells that do not run on.
func (t *table) widths() []int {
	width := make([]int, len(t.align))
	for _, row := range t.rows {
		for k, cell := range row {
			if !runsOn(row, k) {
				width[k] = max(width[k], utf8.RuneCountInString(cell))
			}
		}
	}
	return width
}
