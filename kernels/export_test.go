package kernels

// PathNames returns the instruction sets that the processor has.
func PathNames() []string {
	var names []string
	for _, p := range paths() {
		names = append(names, p.name)
	}
	return names
}

// UsePath switches to the named instruction set and returns a function that switches back.
func UsePath(name string) (restore func()) {
	old := current
	current = choose(paths(), name)
	return func() { current = old }
}

// NumOps is the number of operations of formulas.
const NumOps = int(numOps)

// Interpret keeps formulas from being compiled until restore is called.
func Interpret() (restore func()) {
	old := compiling
	compiling = false
	return func() { compiling = old }
}
