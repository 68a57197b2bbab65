package testnet

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// A console tells the person at the terminal what happens, each line with the time since the start and who speaks.
type console struct {
	start time.Time
	width int // of the names

	mu   sync.Mutex
	out  io.Writer
	last map[string]time.Time // when each topic was last shown
}

func newConsole(out io.Writer, names []string) *console {
	c := &console{start: time.Now(), out: out, last: map[string]time.Time{}, width: len("testnet")}
	for _, n := range names {
		c.width = max(c.width, len(n))
	}
	return c
}

// say writes one line in the name of who.
func (c *console) say(who, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.out, "%6.1f s  %-*s  %s\n", time.Since(c.start).Seconds(), c.width, who, fmt.Sprintf(format, args...))
}

// sometimes is say for what comes often: of one who at most a line in each interval.
func (c *console) sometimes(interval time.Duration, who, format string, args ...any) {
	c.mu.Lock()
	now := time.Now()
	quiet := now.Sub(c.last[who]) < interval
	if !quiet {
		c.last[who] = now
	}
	c.mu.Unlock()
	if !quiet {
		c.say(who, format, args...)
	}
}
