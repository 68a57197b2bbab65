package memory

import (
	"math"
	"runtime"
	"testing"
	"testing/fstest"
)

const meminfo = "MemTotal:       24000000 kB\nMemFree:         1000000 kB\nMemAvailable:    8000000 kB\n"

func TestAvailable(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int64
		known bool
	}{
		{"nothing", nil, 0, false},
		{"no groups", map[string]string{"proc/meminfo": meminfo}, 8_192_000_000, true},
		{"no limit", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/memory.current": "5000\n",
		}, 8_192_000_000, true},
		{"container", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "4000000\n", "sys/fs/cgroup/memory.current": "1500000\n",
			"sys/fs/cgroup/memory.stat": "anon 900000\ninactive_file 500000\nactive_file 100000\n",
		}, 3_000_000, true},
		{"container that sees the path of its host", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/system.slice/box.scope\n",
			"sys/fs/cgroup/memory.max": "4000000\n", "sys/fs/cgroup/memory.current": "1500000\n",
		}, 2_500_000, true},
		{"group above has less", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/user.slice/job\n",
			"sys/fs/cgroup/user.slice/job/memory.max": "9000000\n", "sys/fs/cgroup/user.slice/job/memory.current": "1000000\n",
			"sys/fs/cgroup/user.slice/memory.max": "5000000\n", "sys/fs/cgroup/user.slice/memory.current": "4000000\n",
		}, 1_000_000, true},
		{"version 1", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/job\n",
			"sys/fs/cgroup/memory/job/memory.limit_in_bytes": "7000000\n", "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "3000000\n",
			"sys/fs/cgroup/memory/job/memory.stat": "inactive_file 1\ntotal_inactive_file 500000\n",
		}, 4_500_000, true},
		{"over its limit", map[string]string{
			"proc/meminfo": meminfo, "proc/self/cgroup": "0::/\n",
			"sys/fs/cgroup/memory.max": "4000000\n", "sys/fs/cgroup/memory.current": "4100000\n",
		}, 0, true},
		{"garbage", map[string]string{
			"proc/meminfo": "MemAvailable: much kB\n", "proc/self/cgroup": "0:\n\nx\n0::/\n", "sys/fs/cgroup/memory.max": "-5\n",
		}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, text := range c.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			got, known := available(root)
			if known != c.known || known && got != c.want {
				t.Errorf("got %d, %t; want %d, %t", got, known, c.want, c.known)
			}
		})
	}
}

// TestThisMachine requires an answer where there should be one.
func TestThisMachine(t *testing.T) {
	got, known := Available()
	if known != (runtime.GOOS == "linux") || known && got <= 0 {
		t.Errorf("got %d, %t", got, known)
	}
	if least := OrUnlimited(); least <= 0 || !known && least != math.MaxInt64 {
		t.Errorf("OrUnlimited: got %d", least)
	}
}
