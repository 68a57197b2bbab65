package dpa2

// pathNames remembers what a list of paths is called under each head, so that a training step makes no strings.
type pathNames map[string][]string

// of returns HeadPath of each path; paths must be the same in all calls.
func (n *pathNames) of(head string, paths []string) []string {
	if names, ok := (*n)[head]; ok {
		return names
	}
	names := make([]string, len(paths))
	for k, path := range paths {
		names[k] = HeadPath(head, path)
	}
	if *n == nil {
		*n = pathNames{}
	}
	(*n)[head] = names
	return names
}
