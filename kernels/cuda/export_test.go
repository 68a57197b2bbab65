package cuda

// Launch records a launch that no function of the package would: any name, sizes and arguments of 64 bits.
func Launch(r *Recorder, module, name string, blocks, threads, shared int, args ...uint64) {
	r.wide(args...)
	r.launch(kernel{module, name}, blocks, 1, threads, shared)
}

// Pieces tells how a product cuts a sum over k rows.
var Pieces = pieces

// Held returns how many pieces of memory of Go a stream keeps alive.
func (s *Stream) Held() int { return len(s.keep) }
