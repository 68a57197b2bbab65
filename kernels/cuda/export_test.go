package cuda

import "strings"

// Launch records a launch that no function of the package would: any name, sizes and arguments of 64 bits.
func Launch(r *Recorder, module, name string, blocks, threads, shared int, args ...uint64) {
	r.wide(args...)
	r.launch(kernel{module, name}, blocks, 1, threads, shared)
}

// Pieces tells how a product cuts a sum over k rows.
var Pieces = pieces

// LoadText loads a module.
func LoadText(d *Device, text string) error {
	return d.do(func() error {
		_, err := d.loadText("a test", append([]byte(text), 0))
		return err
	})
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
