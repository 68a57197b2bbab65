package main

// mapSpec says what a map of one to three operands does.
type mapSpec struct {
	doc       string // first the name
	operands  string // names of one letter
	numbers   string // likewise
	many      int    // vectors that go side by side
	constants bool   // whether the body has some

	// body computes a vector from the operands, which it may overwrite, and returns where it is.
	body func(m *mapping, y []vector) vector
}

// elementwise writes the maps.
func (v target) elementwise(f *file) {
	for _, s := range arithmeticMaps {
		v.mapping(f, s)
	}
	for _, s := range exponentialMaps {
		v.mapping(f, s)
	}
}

var arithmeticMaps = []mapSpec{
	{doc: "add sets dst to a + b.", operands: "ab", many: 4, body: func(m *mapping, y []vector) vector {
		m.add(y[0], y[1], y[0])
		return y[0]
	}},
	{doc: "sub sets dst to a - b.", operands: "ab", many: 4, body: func(m *mapping, y []vector) vector {
		m.sub(y[0], y[1], y[0])
		return y[0]
	}},
	{doc: "mul sets dst to a*b.", operands: "ab", many: 4, body: func(m *mapping, y []vector) vector {
		m.mul(y[0], y[1], y[0])
		return y[0]
	}},
	{doc: "addNumber sets dst to a + s.", operands: "a", numbers: "s", many: 4, body: func(m *mapping, y []vector) vector {
		m.add(y[0], m.loaded[0], y[0])
		return y[0]
	}},
	{doc: "mulNumber sets dst to a*s.", operands: "a", numbers: "s", many: 4, body: func(m *mapping, y []vector) vector {
		m.mul(y[0], m.loaded[0], y[0])
		return y[0]
	}},
	{doc: "mulMul sets dst to s*a*b.", operands: "ab", numbers: "s", many: 4, body: func(m *mapping, y []vector) vector {
		m.mul(m.loaded[0], y[0], y[0])
		m.mul(y[0], y[1], y[0])
		return y[0]
	}},
	{doc: "mulAdd sets dst to a*b + c.", operands: "abc", many: 4, body: func(m *mapping, y []vector) vector {
		m.fma(y[0], y[1], y[2])
		return y[2]
	}},
	{doc: "mulSub sets dst to a*b - c.", operands: "abc", many: 4, body: func(m *mapping, y []vector) vector {
		m.word(m.pick(fneg), y[2], y[2])
		m.fma(y[0], y[1], y[2])
		return y[2]
	}},
	{doc: "subMul sets dst to c - a*b.", operands: "abc", many: 4, body: func(m *mapping, y []vector) vector {
		m.fnma(y[0], y[1], y[2])
		return y[2]
	}},
	{doc: "addScaled sets dst to a + s*b.", operands: "ab", numbers: "s", many: 4, body: func(m *mapping, y []vector) vector {
		m.fma(m.loaded[0], y[1], y[0])
		return y[0]
	}},
	{doc: "quadratic sets dst to s*a*a + t.", operands: "a", numbers: "st", many: 4, body: func(m *mapping, y []vector) vector {
		sum := m.vector()
		m.copy(m.loaded[1], sum)
		m.mul(y[0], y[0], y[0])
		m.fma(m.loaded[0], y[0], sum)
		return sum
	}},
	{doc: "square sets dst to a*a.", operands: "a", many: 4, body: func(m *mapping, y []vector) vector {
		m.mul(y[0], y[0], y[0])
		return y[0]
	}},
	{doc: "sqrt sets dst to the square root of a.", operands: "a", many: 2, body: func(m *mapping, y []vector) vector {
		m.word(m.pick(fsqrt), y[0], y[0])
		return y[0]
	}},
	{doc: "recip sets dst to 1/a.", operands: "a", many: 2, constants: true, body: func(m *mapping, y []vector) vector {
		one := m.vector()
		m.constant(1, one)
		m.div(one, y[0], one)
		return one
	}},
}

// mapping is a function on slices under construction.
type mapping struct {
	*function
	n, dst general
	from   []general
	loaded []vector // the numbers, in all lanes
	table  general  // of constants
	mapSpec
}

// mapping writes a function with pointers to dst and to the operands, with numbers, and with the length n. The elements
// behind the last whole vector go one by one, in the first lane.
func (v target) mapping(f *file, spec mapSpec) {
	params := []param{{"dst", "*" + v.elem()}}
	for _, o := range spec.operands {
		params = append(params, param{string(o), "*" + v.elem()})
	}
	for _, s := range spec.numbers {
		params = append(params, param{string(s), v.elem()})
	}
	m := &mapping{function: v.begin(f, spec.doc, append(params, param{"n", "int"})...), mapSpec: spec}
	m.n, m.dst, m.table = m.param("n"), m.param("dst"), m.general()
	if spec.constants {
		m.op("MOVD $%s<>(SB), %s", v.tableName(), m.table)
	}
	for _, o := range spec.operands {
		m.from = append(m.from, m.param(string(o)))
	}
	for _, s := range spec.numbers {
		m.loaded = append(m.loaded, m.number(string(s)))
	}
	m.loop("many", "single", spec.many, v.lanes())
	m.loop("single", "rest", 1, v.lanes())
	m.loop("rest", "done", 1, 1)
	m.label("done")
	m.op("RET")
}

// loop writes a loop over count vectors of lanes elements at a time.
func (m *mapping) loop(label, next string, count, lanes int) {
	defer m.free(m.vectors)
	m.label(label)
	m.op("CMP $%d, %s", count*lanes, m.n)
	m.op("BLT %s", next)
	x := make([][]vector, count)
	for u := range x {
		for _, p := range m.from {
			r := m.vector()
			m.load(p, u*lanes*m.size(), lanes, r, "")
			x[u] = append(x[u], r)
		}
	}
	for u := range x {
		inUse := m.vectors
		m.store(m.body(m, x[u]), m.dst, u*lanes*m.size(), lanes, "")
		m.free(inUse)
	}
	for _, p := range append([]general{m.dst}, m.from...) {
		m.op("ADD $%d, %s", count*lanes*m.size(), p)
	}
	m.op("SUB $%d, %s", count*lanes, m.n)
	m.op("B %s", label)
}
