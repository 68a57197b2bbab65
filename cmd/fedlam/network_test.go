package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/fedlam/fedlam/dataset/reference"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
)

// TestNetworkScripts runs the scripts in testdata/network. They find ports that nobody uses in $PORT1 to $PORT6 and one that is
// taken in $TAKEN, and labelled frames of water with their conventions in north.xyz, south.xyz and west.xyz. Further
// commands:
//
//	finished DIR N     waits until the node in DIR has certified N rounds
//	remember DIR       puts the node's genesis, weights and public address into $GENESIS, $WEIGHTS and $PUBLIC
//	flip FILE          changes one bit in the middle of a file
//	set DIR KEY VALUE  changes a number in the node's node.toml
//	ends STATUS ARG... runs fedlam and expects it to end with that status
func TestNetworkScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/network",
		Setup: setupNetwork,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"finished": cmdFinished, "remember": cmdRemember, "flip": cmdFlip, "set": cmdSet, "ends": cmdEnds,
		},
	})
}

func setupNetwork(e *testscript.Env) error {
	for i := range 7 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		name := fmt.Sprintf("PORT%d", i)
		if i == 0 {
			name = "TAKEN"
		}
		e.Setenv(name, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
		if i == 0 {
			e.Defer(func() { l.Close() })
		} else if err := l.Close(); err != nil {
			return err
		}
	}
	for i, name := range []string{"north", "south", "west"} {
		if err := writeWater(e.WorkDir, name, i); err != nil {
			return err
		}
	}
	return nil
}

// writeWater labels a few frames: north and south with one potential in different units, west with another.
func writeWater(dir, name string, i int) error {
	potential := reference.SPCFw(3)
	if name == "west" {
		potential = reference.QTIP4PF(3)
	}
	frames, err := reference.Sample(potential, reference.WaterBox(3, uint64(i)), reference.Langevin{Count: 12, Every: 5, Warmup: 50, Seed: uint64(i)})
	if err != nil {
		return err
	}
	c := reference.Convention(potential)
	if name == "south" {
		c.Energy.Unit, c.Forces.Quantity = dataset.Hartree, dataset.Gradient
	}
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, name+".json"), text, 0o600); err != nil {
		return err
	}
	return extxyz.WriteFile(filepath.Join(dir, name+".xyz"), c, frames)
}

// askStatus asks a node; nil while it does not answer.
func askStatus(ts *testscript.TestScript, dir string) *localpb.StatusReply {
	client, err := local.Dial(ts.MkAbs(dir))
	ts.Check(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	reply, err := client.Status(ctx)
	if err != nil {
		return nil
	}
	return reply
}

func cmdFinished(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: finished DIR N")
	}
	want, err := strconv.ParseUint(args[1], 10, 32)
	ts.Check(err)
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	patience := time.After(30 * time.Second)
	for {
		select {
		case <-look.C:
			if reply := askStatus(ts, args[0]); reply != nil && reply.Finished >= want {
				return
			}
		case <-patience:
			ts.Fatalf("the node in %s has not certified %d rounds in 30 s: %v", args[0], want, askStatus(ts, args[0]))
		}
	}
}

func cmdRemember(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: remember DIR")
	}
	reply := askStatus(ts, args[0])
	if reply == nil || len(reply.PublicAddresses) == 0 {
		ts.Fatalf("the node in %s does not answer, or has no public side: %v", args[0], reply)
	}
	ts.Setenv("GENESIS", reply.Genesis)
	ts.Setenv("WEIGHTS", reply.Weights)
	ts.Setenv("PUBLIC", reply.PublicAddresses[0])
}

func cmdFlip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip FILE")
	}
	path := ts.MkAbs(args[0])
	text, err := os.ReadFile(path)
	ts.Check(err)
	text[len(text)/2] ^= 1
	ts.Check(os.WriteFile(path, text, 0o600))
}

func cmdSet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: set DIR KEY VALUE")
	}
	path := ts.MkAbs(filepath.Join(args[0], "node.toml"))
	text, err := os.ReadFile(path)
	ts.Check(err)
	old := regexp.MustCompile(`(?m)^` + args[1] + ` = .*$`)
	if n := len(old.FindAll(text, -1)); n != 1 {
		ts.Fatalf("%s has %d keys %s:\n%s", path, n, args[1], text)
	}
	ts.Check(os.WriteFile(path, old.ReplaceAll(text, []byte(args[1]+" = "+args[2])), 0o600))
}

func cmdEnds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: ends STATUS ARG...")
	}
	got := 0
	err := ts.Exec("fedlam", args[1:]...)
	if of := (*exec.ExitError)(nil); errors.As(err, &of) {
		got = of.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("ended with status %d, want %s", got, args[0])
	}
}
