//go:build unix

package proc_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/testnet/demo"
	"github.com/fedlam/fedlam/testnet/ports"
	"github.com/fedlam/fedlam/testnet/proc"
)

// names of the members, and the data of each.
var names = []string{"north", "east", "south", "west"}

var dataOf = map[string][2]string{
	"north": {"north.xyz:0:8", "north"}, "east": {"north.xyz:8:16", "north"},
	"south": {"south.xyz", "south"}, "west": {"west.xyz", "west"},
}

// A site is where a member's node can be reached.
type site struct{ member, public string } // multiaddresses

// found makes the folders of a federation in dir: data, conventions and one node for each member, which has joined.
func found(t *testing.T, dir string, sites []site) {
	t.Helper()
	g, err := proc.NewGroup(proc.Config{LogDir: filepath.Join(dir, "logs")})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) []byte {
		var out bytes.Buffer
		if err := g.Run(t.Context(), proc.Command{Name: args[0], Path: path, Args: args, Dir: dir, Stdout: &out}); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := demo.Write(dir, demo.Options{Frames: 16}); err != nil {
		t.Fatal(err)
	}
	plan, err := filepath.Abs("testdata/plan.toml")
	if err != nil {
		t.Fatal(err)
	}
	genesis := []string{"genesis", plan}
	for i, name := range names {
		data := dataOf[name]
		card := run("init", name, "--name", name, "--data", filepath.Join("data", data[0]), "--convention", filepath.Join("conventions", data[1]+".json"),
			"--listen", sites[i].member, "--public", sites[i].public, "--min-cohort", "3")
		genesis = append(genesis, name+".card")
		if err := os.WriteFile(filepath.Join(dir, name+".card"), card, 0o644); err != nil {
			t.Fatal(err)
		}
		configure(t, filepath.Join(dir, name), func(c *home.Config) { c.Training.Threads = 1 })
	}
	run(append(genesis, "--out", "founding")...)
	for _, name := range names {
		run("join", name, "founding")
	}
}

// configure changes node.toml, as an owner would.
func configure(t *testing.T, dir string, change func(*home.Config)) {
	t.Helper()
	path := filepath.Join(dir, "node.toml")
	c, err := home.ReadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	change(&c)
	var text strings.Builder
	if err := toml.NewEncoder(&text).Encode(c); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// loopback finds two free ports for every member.
func loopback(t *testing.T) (sites []site) {
	t.Helper()
	for range names {
		sites = append(sites, site{fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", freePort(t)), fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(t))})
	}
	return sites
}

// freePort returns a port that neither TCP nor UDP uses, nobody until the test has ended.
func freePort(t *testing.T) int {
	t.Helper()
	held, err := ports.Find(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return held.List[0]
}

// readGenesis reads the document that all members joined.
func readGenesis(t *testing.T, dir string) *ledger.Genesis {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "founding", ledger.GenesisFile))
	if err != nil {
		t.Fatal(err)
	}
	g, err := ledger.DecodeGenesis(text)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// copyTree copies a folder with the modes of its files, which guard the keys. Sockets are left out.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), info.Mode().Perm())
		case !info.Mode().IsRegular():
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, info.Mode().Perm())
	})
	if err != nil {
		t.Fatal(err)
	}
}
