package main

import "fmt"

// sumWidth is how many columns go side by side in sums over rows: eight sums of two columns keep two pipelines of
// additions that take four cycles each busy.
const sumWidth = 16

// rowSums writes the functions that add up rows in float64, in their order.
func (v target) rowSums(f *file) {
	e := "*" + v.elem()
	size := []param{{"rows", "int"}, {"cols", "int"}}
	v.sum(f, "sumList sets dst to the sum of rows of src that list names, in float64.", false, append([]param{{"dst", e}, {"src", e}, {"list", "*int32"}}, size...))
	v.sum(f, "sumRun sets dst to the sum of rows of src, in float64.", false, append([]param{{"dst", e}, {"src", e}}, size...))
	v.sum(f, "addRows adds rows of src to dst, in float64.", true, append([]param{{"dst", "*float64"}, {"src", e}}, size...))
}

// rowSum is a function that sums rows; its registers hold the parameters.
type rowSum struct {
	*function
	wide                   *function // to move and add float64
	accumulate, listed     bool
	wideResult             bool // results are float64
	rows, cols, dst, src   general
	stride                 general // of src, in bytes
	list, from, next, left general
}

func (v target) sum(f *file, doc string, accumulate bool, params []param) {
	fn := v.begin(f, doc, params...)
	s := &rowSum{function: fn, accumulate: accumulate, wide: &function{target: target{double: true}, file: f}}
	_, s.listed = fn.offsets["list"]
	s.wideResult = v.double || accumulate
	s.rows, s.cols, s.dst, s.src = fn.param("rows"), fn.param("cols"), fn.param("dst"), fn.param("src")
	s.stride, s.from, s.left = fn.general(), fn.general(), fn.general()
	if s.listed {
		s.list, s.next = fn.param("list"), fn.general()
	}
	fn.op("LSL $%d, %s, %s", v.shift(), s.cols, s.stride)
	for count := sumWidth; count > 0; count /= 2 {
		s.columns(count)
	}
	fn.label("width0")
	fn.op("RET")
}

// columns writes the loop over count columns at a time.
func (s *rowSum) columns(count int) {
	defer s.free(s.vectors)
	name := fmt.Sprintf("width%d", count)
	var sums []vector
	for range (count + 1) / 2 {
		sums = append(sums, s.vector())
	}
	s.label(name)
	s.op("CMP $%d, %s", count, s.cols)
	s.op("BLT width%d", count/2)
	for i, r := range sums {
		if s.accumulate {
			s.wide.load(s.dst, i*vectorBytes, min(count, 2), r, "")
		} else {
			s.zero(r)
		}
	}
	s.op("MOVD %s, %s", s.src, s.from)
	s.op("MOVD %s, %s", s.rows, s.left)
	if s.listed {
		s.op("MOVD %s, %s", s.list, s.next)
	}
	s.op("CBZ %s, %sEnd", s.left, name)
	s.label(name + "Row")
	if s.listed {
		s.rowAt(s.src, s.stride, s.next, s.from)
	}
	s.addRow(count, sums)
	if !s.listed {
		s.op("ADD %s, %s", s.stride, s.from)
	}
	s.op("SUBS $1, %s, %s", s.left, s.left)
	s.op("BNE %sRow", name)
	s.label(name + "End")
	s.result(count, sums)
	s.op("ADD $%d, %s", count*s.size(), s.src)
	s.op("SUB $%d, %s", count, s.cols)
	s.op("B %s", name)
}

// addRow adds count elements at from.
func (s *rowSum) addRow(count int, sums []vector) {
	x, high := s.vector(), s.vector()
	perVector := s.lanes()
	for at := 0; at < count; at += perVector {
		s.load(s.from, at*s.size(), min(count, perVector), x, "")
		if s.double {
			s.wide.add(x, sums[at/2], sums[at/2])
			continue
		}
		if count > 2 {
			s.word(fcvtl2, high, x)
			s.wide.add(high, sums[at/2+1], sums[at/2+1])
		}
		s.word(fcvtl, x, x)
		s.wide.add(x, sums[at/2], sums[at/2])
	}
}

// result stores the sums at dst and goes behind them.
func (s *rowSum) result(count int, sums []vector) {
	if s.wideResult {
		for i, r := range sums {
			s.wide.store(r, s.dst, i*vectorBytes, min(count, 2), "")
		}
		s.op("ADD $%d, %s", count*8, s.dst)
		return
	}
	for at := 0; at < count; at += s.lanes() {
		r := sums[at/2]
		s.word(fcvtn, r, r)
		if count > 2 {
			s.word(fcvtn2, r, sums[at/2+1])
		}
		s.store(r, s.dst, at*s.size(), min(count, s.lanes()), "")
	}
	s.op("ADD $%d, %s", count*s.size(), s.dst)
}
