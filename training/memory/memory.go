// Package memory tells how much memory the machine can still give to this process, so that work that would not fit can be
// refused before it is begun.
//
//	if free, ok := memory.Available(); ok && need > free { ... }
//
// On Linux it is the lower of what the kernel estimates for new work (MemAvailable of /proc/meminfo) and of what the control
// groups of the process, of version 1 or 2, leave of their limits. Pages that only cache files count as available. Elsewhere
// nothing is known.
//
// An answer is an estimate of this moment: other processes take memory too.
package memory

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime"
	"strconv"
	"strings"
)

// Available returns the bytes available, and whether that is known.
func Available() (bytes int64, known bool) {
	if runtime.GOOS != "linux" {
		return 0, false
	}
	return available(os.DirFS("/"))
}

// OrUnlimited returns Available, or math.MaxInt64 where nothing is known.
func OrUnlimited() int64 {
	if bytes, known := Available(); known {
		return bytes
	}
	return math.MaxInt64
}

// available reads the files below root.
func available(root fs.FS) (int64, bool) {
	least := int64(math.MaxInt64)
	if kB, ok := field(root, "proc/meminfo", "MemAvailable:"); ok {
		least = 1024 * kB
	}
	for _, g := range groups(root) {
		limit, ok := number(root, path.Join(g.dir, g.limit))
		used, okUsed := number(root, path.Join(g.dir, g.used))
		if !ok || !okUsed {
			continue // no such group here, or no limit: "max"
		}
		cache, _ := field(root, path.Join(g.dir, "memory.stat"), g.cache)
		least = min(least, max(0, limit-max(0, used-cache)))
	}
	return least, least < math.MaxInt64
}

// group is a control group whose limits hold for this process, and what its files are called.
type group struct{ dir, limit, used, cache string }

// groups lists the control groups of this process and those above them. A container sees its own group as the topmost, under a
// path that may be that of the host: so the topmost is always among them.
func groups(root fs.FS) (list []group) {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3) // number:controllers:path
		if len(part) != 3 {
			continue
		}
		g := group{"sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"}
		if part[0] != "0" {
			if !strings.Contains(","+part[1]+",", ",memory,") {
				continue
			}
			g = group{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"}
		}
		top := g.dir
		for below := path.Clean("/" + part[2]); ; below = path.Dir(below) {
			g.dir = path.Join(top, below)
			list = append(list, g)
			if below == "/" {
				break
			}
		}
	}
	return list
}

// number reads a file that holds one number.
func number(root fs.FS, name string) (int64, bool) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil && n >= 0
}

// field reads the number after a key at the beginning of a line.
func field(root fs.FS, name, key string) (int64, bool) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) >= 2 && words[0] == key {
			n, err := strconv.ParseInt(words[1], 10, 64)
			return n, err == nil && n >= 0
		}
	}
	return 0, false
}
