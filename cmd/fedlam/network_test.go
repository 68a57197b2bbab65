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
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
	"github.com/fedlam/fedlam/testnet/ports"
)

// TestNetworkScripts runs the scripts in testdata/network. They find ports that nobody uses in $PORT1 to $PORT6 and one that is
// taken in $TAKEN, and labelled frames of water with their conventions in north.xyz, south.xyz and west.xyz. Further
// commands:
//
//	finished DIR N     waits until the node in DIR runs and has certified N rounds
//	more DIR N         waits until it has certified N rounds more than when it is first asked
//	inepoch DIR K N    waits until it is in epoch K and has certified N rounds of that
//	remember DIR       puts the node's genesis, weights and public address into $GENESIS, $WEIGHTS and $PUBLIC
//	flip FILE          changes one bit in the middle of a file
//	set DIR KEY VALUE  changes a number in the node's node.toml
//	ends STATUS ARG... runs fedlam and expects it to end with that status
func TestNetworkScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/network",
		Setup: setupNetwork,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"finished": cmdFinished, "more": cmdMore, "inepoch": cmdInEpoch, "remember": cmdRemember, "flip": cmdFlip, "set": cmdSet, "ends": cmdEnds,
		},
	})
}

// setupNetwork takes the port that is in use from the operating system and the others from elsewhere, for what a script is told to be
// free must be so seconds later, whatever else runs on the computer.
func setupNetwork(e *testscript.Env) error {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	e.Defer(func() { taken.Close() })
	e.Setenv("TAKEN", strconv.Itoa(taken.Addr().(*net.TCPAddr).Port))
	held, err := ports.Find(6)
	if err != nil {
		return err
	}
	e.Defer(func() { held.Close() })
	for i, port := range held.List {
		e.Setenv(fmt.Sprintf("PORT%d", i+1), strconv.Itoa(port))
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

// patience ends a test that waits for something that does not come. Long as it is, it decides nothing where all is well.
const patience = 2 * time.Minute

// until waits until a condition holds of a node's status.
func until(ts *testscript.TestScript, dir, what string, holds func(*localpb.StatusReply) bool) {
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	late := time.After(patience)
	for {
		select {
		case <-look.C:
			if reply := askStatus(ts, dir); reply != nil && holds(reply) {
				return
			}
		case <-late:
			ts.Fatalf("the node in %s has not %s in %s: %v", dir, what, patience, askStatus(ts, dir))
		}
	}
}

// numbers reads the arguments behind the first.
func numbers(ts *testscript.TestScript, neg bool, usage string, args []string, n int) (out []uint64) {
	if neg || len(args) != n+1 {
		ts.Fatalf("usage: %s", usage)
	}
	for _, text := range args[1:] {
		number, err := strconv.ParseUint(text, 10, 32)
		ts.Check(err)
		out = append(out, number)
	}
	return out
}

func cmdFinished(ts *testscript.TestScript, neg bool, args []string) {
	want := numbers(ts, neg, "finished DIR N", args, 1)[0]
	until(ts, args[0], fmt.Sprintf("certified %d rounds", want), func(s *localpb.StatusReply) bool { return s.Finished >= want })
}

func cmdMore(ts *testscript.TestScript, neg bool, args []string) {
	more := numbers(ts, neg, "more DIR N", args, 1)[0]
	asked, want := false, uint64(0)
	until(ts, args[0], fmt.Sprintf("certified %d more rounds", more), func(s *localpb.StatusReply) bool {
		if !asked {
			asked, want = true, s.Finished+more
		}
		return s.Finished >= want
	})
}

func cmdInEpoch(ts *testscript.TestScript, neg bool, args []string) {
	want := numbers(ts, neg, "inepoch DIR K N", args, 2)
	until(ts, args[0], fmt.Sprintf("come to epoch %d and %d rounds of it", want[0], want[1]), func(*localpb.StatusReply) bool {
		reply, e := askEpoch(ts, args[0])
		return e != nil && e.K == want[0] && reply.Finished+ledger.MinEpochRounds >= reply.RipeAt+want[1]
	})
}

// askEpoch asks a node for the epoch in force; nil while it does not answer.
func askEpoch(ts *testscript.TestScript, dir string) (*localpb.EpochReply, *ledger.Epoch) {
	client, err := local.Dial(ts.MkAbs(dir))
	ts.Check(err)
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	reply, err := client.Epoch(ctx)
	if err != nil {
		return nil, nil
	}
	e, err := ledger.DecodeEpoch(reply.Document)
	ts.Check(err)
	return reply, e
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
