package main

import (
	"fmt"
	"math"
	"slices"
)

// tableName names the table of constants of an element type; each constant fills a vector.
func (v target) tableName() string { return "constants" + v.suffix }

func (v target) tableOf(f *file) *[]uint64 {
	if v.double {
		return &f.tables[1]
	}
	return &f.tables[0]
}

// bits returns x as an element.
func (v target) bits(x float64) uint64 {
	if v.double {
		return math.Float64bits(x)
	}
	return uint64(math.Float32bits(float32(x)))
}

// constant sets all lanes of r to x.
func (m *mapping) constant(x float64, r vector) { m.constantBits(m.bits(x), r) }

// constantBits sets the bits of all lanes of r.
func (m *mapping) constantBits(bits uint64, r vector) {
	if !m.constants {
		panic("a body has constants that its map does not announce")
	}
	table := m.tableOf(m.file)
	at := slices.Index(*table, bits)
	if at < 0 {
		at = len(*table)
		*table = append(*table, bits)
	}
	m.load(m.table, at*vectorBytes, m.lanes(), r, "")
}

// tableData returns the assembly of a table, empty if there are no constants.
func (v target) tableData(f *file) string {
	table := *v.tableOf(f)
	if len(table) == 0 {
		return ""
	}
	text := "\n"
	for i, bits := range table {
		if !v.double {
			bits |= bits << 32
		}
		for half := 0; half < vectorBytes; half += 8 {
			text += fmt.Sprintf("DATA %s<>+%d(SB)/8, $0x%016x\n", v.tableName(), i*vectorBytes+half, bits)
		}
	}
	return text + fmt.Sprintf("GLOBL %s<>(SB), RODATA|NOPTR, $%d\n", v.tableName(), len(table)*vectorBytes)
}
