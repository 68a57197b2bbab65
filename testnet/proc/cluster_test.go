//go:build unix

package proc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
	"github.com/fedlam/fedlam/testnet/proc"
)

// patience is how long a federation may take for what a test waits for, on a busy computer.
const patience = 60 * time.Second

// A cluster is a federation of four nodes, each a process of its own.
type cluster struct {
	*testing.T
	dir     string
	group   *proc.Group // of processes on this computer's own network
	genesis *ledger.Genesis
	members []*member
	clones  map[*member]*member // second processes with the keys of a member
	known   []cid.Cid           // records that were certified before all members were killed
}

// A member is a node, which may be several processes one after the other.
type member struct {
	f       *cluster
	name    string
	dir     string
	program string
	group   *proc.Group
	process *proc.Process
	lives   int // processes so far

	mu   sync.Mutex
	said []string // messages of the newest process
}

// templates are the founded federations that the tests copy, by name; TestMain removes them.
var templates struct {
	sync.Mutex
	dirs map[string]string
}

// newCluster copies a founded federation whose members talk over loopback. Nobody is started.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	return openCluster(t, copyTemplate(t, "loopback", loopback))
}

// copyTemplate copies a federation, which is founded for the first who asks.
func copyTemplate(t *testing.T, name string, sites func(t *testing.T) []site) string {
	t.Helper()
	templates.Lock()
	defer templates.Unlock()
	if templates.dirs == nil {
		templates.dirs = map[string]string{}
	}
	if templates.dirs[name] == "" {
		base, err := scratch()
		if err != nil {
			t.Fatal(err)
		}
		found(t, filepath.Join(base, name), sites(t))
		templates.dirs[name] = filepath.Join(base, name)
	}
	dir := t.TempDir()
	copyTree(t, templates.dirs[name], dir)
	return dir
}

// openCluster takes over folders made by found.
func openCluster(t *testing.T, dir string) *cluster {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	g, err := proc.NewGroup(proc.Config{LogDir: filepath.Join(dir, "logs")})
	if err != nil {
		t.Fatal(err)
	}
	f := &cluster{T: t, dir: dir, group: g, genesis: readGenesis(t, dir), clones: map[*member]*member{}}
	for _, name := range names {
		f.members = append(f.members, &member{f: f, name: name, dir: filepath.Join(dir, name), program: path, group: g})
	}
	t.Cleanup(func() {
		g.Close()
		if t.Failed() {
			f.tell()
		}
	})
	return f
}

// start starts every member.
func (f *cluster) start() {
	for _, m := range f.members {
		m.start()
	}
}

// others are all members but one.
func (f *cluster) others(but *member) (out []*member) {
	for _, m := range f.members {
		if m != but {
			out = append(out, m)
		}
	}
	return out
}

// reach waits until each of the members has certified n rounds.
func (f *cluster) reach(n uint64, members ...*member) {
	f.Helper()
	f.until(fmt.Sprintf("%d certified rounds", n), func() bool {
		for _, m := range members {
			if m.finished() < n {
				return false
			}
		}
		return true
	})
}

// until looks again and again whether something is the case.
func (f *cluster) until(what string, is func() bool) {
	f.Helper()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	for !is() {
		select {
		case <-look.C:
		case <-ctx.Done():
			f.Fatalf("waited %s for %s", patience, what)
		}
	}
}

// newest is the largest number of certified rounds that a member tells.
func (f *cluster) newest() (n uint64) {
	for _, m := range f.members {
		n = max(n, m.finished())
	}
	return n
}

// tell shows what everybody said last.
func (f *cluster) tell() {
	for _, m := range f.members {
		m.mu.Lock()
		f.Logf("%s, process %d:\n\t%s", m.name, m.lives, strings.Join(m.said[max(0, len(m.said)-25):], "\n\t"))
		m.mu.Unlock()
	}
}

// start starts the member's next process, with more variables in its environment.
func (m *member) start(env ...string) {
	m.f.Helper()
	m.mu.Lock()
	m.said = nil
	m.mu.Unlock()
	m.lives++
	env = append(env, "GOMAXPROCS=1", "FEDLAM_WITNESS="+m.witness())
	p, err := m.group.Start(proc.Command{Name: m.name, Path: m.program, Args: []string{"node", m.dir, "--log", "json", "--verbose"}, Dir: m.f.dir, Env: env, Line: m.hear})
	if err != nil {
		m.f.Fatal(err)
	}
	m.process = p
}

// witness is where the member's processes write what they add to sums.
func (m *member) witness() string { return filepath.Join(m.f.dir, "inputs", m.name) }

// hear keeps a line of the log.
func (m *member) hear(line string) {
	var all map[string]any
	if json.Unmarshal([]byte(line), &all) == nil {
		delete(all, "level")
		when, _ := all["time"].(string)
		text, _ := all["msg"].(string)
		delete(all, "time")
		delete(all, "msg")
		line = fmt.Sprint(when[min(11, len(when)):min(23, len(when))], " ", text, " ", all)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, line)
}

// heard returns the first message of the newest process that contains text, from a number of messages on, and its number; -1 if
// there is none.
func (m *member) heard(text string, from int) (string, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := from; i < len(m.said); i++ {
		if strings.Contains(m.said[i], text) {
			return m.said[i], i
		}
	}
	return "", -1
}

// count is the number of messages of the newest process.
func (m *member) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.said)
}

// await waits until the newest process says something that contains text.
func (m *member) await(text string) (line string) {
	m.f.Helper()
	m.f.until(fmt.Sprintf("%q from %s", text, m.name), func() bool {
		var at int
		line, at = m.heard(text, 0)
		return at >= 0
	})
	return line
}

// died waits until the process has ended, and returns how.
func (m *member) died() error {
	m.f.Helper()
	m.f.until("the end of "+m.name, m.isDead)
	return m.process.Err()
}

func (m *member) isDead() bool {
	select {
	case <-m.process.Done():
		return true
	default:
		return false
	}
}

// finished returns how many rounds the member has certified; 0 while it does not answer.
func (m *member) finished() uint64 { return m.status().GetFinished() }

// status asks the member; nil while it does not answer.
func (m *member) status() *localpb.StatusReply {
	if m.process == nil || m.isDead() {
		return nil
	}
	c, err := local.Dial(m.dir)
	if err != nil {
		return nil
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(m.f.Context(), 2*time.Second)
	defer cancel()
	reply, err := c.Status(ctx)
	if err != nil {
		return nil
	}
	return reply
}
