package proc

import (
	"bytes"
	"os"
)

const (
	maxLine   = 8 << 10 // bytes handed to a watcher; longer lines are cut in the memory, not in the log
	tailLines = 8
)

// lines writes what a process says to its log, and hands it on line by line. exec.Cmd writes from one goroutine.
type lines struct {
	file  *os.File
	visit func(string)
	rest  []byte   // of a line that is not complete
	tail  []string // the last lines
}

// Write never fails for want of space in the log: a process must not die because its words cannot be kept.
func (l *lines) Write(data []byte) (int, error) {
	l.file.Write(data)
	for rest := data; len(rest) > 0; {
		line, after, complete := bytes.Cut(rest, []byte("\n"))
		l.rest = append(l.rest, line[:min(len(line), maxLine-len(l.rest))]...)
		if complete {
			l.flush()
		}
		rest = after
	}
	return len(data), nil
}

func (l *lines) flush() {
	line := string(bytes.TrimRight(l.rest, "\r"))
	l.rest = l.rest[:0]
	if line == "" {
		return
	}
	if l.tail = append(l.tail, line); len(l.tail) > tailLines {
		l.tail = l.tail[1:]
	}
	if l.visit != nil {
		l.visit(line)
	}
}

func (l *lines) close() {
	l.flush()
	l.file.Close()
}
