package cuda

import "strings"

// Launch records a launch that no function of the package would: any name, sizes and arguments of 64 bits.
func Launch(r *Recorder, module, name string, blocks, threads, shared int, args ...uint64) {
	r.wide(args...)
	r.launch(kernel{module, name}, blocks, 1, threads, shared)
}

// Pieces tells how a product cuts a sum over k rows.
var Pieces = pieces

// Held returns how many pieces of memory of Go a stream keeps alive.
func (s *Stream) Held() int { return len(s.keep) }

// LoadText loads a module of one kernel, which Launch finds by its name.
func LoadText(d *Device, name, text string) error {
	return d.do(func() error { return d.loadTiles([]string{name}, text) })
}

// ModuleHead begins a module.
const ModuleHead = moduleHead

// SpoilCode has code for tiles end in an instruction that there is not.
func SpoilCode(r *Recorder) {
	for _, c := range r.codes {
		c.text = strings.Replace(c.text, "\tret;\n}", "\tretire;\n}", 1)
	}
}

// Emitted returns the text of the code for tiles that r lists.
func Emitted(r *Recorder) []string {
	var texts []string
	for _, l := range r.emitted {
		texts = append(texts, l.code.text)
	}
	return texts
}

// Address returns where a slice begins.
func Address[T Number](s Slice[T]) uint64 { return s.addr }

// Reciprocal returns what divides by d in emitted code.
var Reciprocal = reciprocal
