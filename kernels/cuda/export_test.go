package cuda

// Held returns how many pieces of memory of Go a stream keeps alive.
func (s *Stream) Held() int { return len(s.keep) }
