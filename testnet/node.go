package testnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/proc"
)

// A node is a member's `fedlam node`, which may be several processes one after the other.
type node struct {
	*member
	dir    string
	faults []manifest.Perturbation // still to come

	mu      sync.Mutex
	process *proc.Process
	gone    bool // killed for good
	last    *localpb.StatusReply

	certified uint64 // rounds, by the last answer of any of its processes
	sent      uint64 // bytes, of the processes before this one
	received  uint64
}

// live keeps the node running until ctx ends, which leaves the process alone. It returns an error when the node ends in a
// way that no fault of the manifest explains.
func (r *run) live(ctx context.Context, n *node) error {
	for {
		p, err := r.group.Start(r.nodeCommand(n))
		if err != nil {
			return err
		}
		n.mu.Lock()
		n.process = p
		n.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-p.Done():
		}
		fault, err := n.died(p.Err())
		if err != nil {
			return err
		}
		r.console.say(n.Name, "killed in round %d at step %s, as the manifest wants", fault.Round, fault.Step)
		if fault.Action == manifest.Kill {
			return nil
		}
		if err := pause(ctx, time.Duration(fault.RestartAfter)); err != nil {
			return nil // the run is over, with or without this member
		}
		r.console.say(n.Name, "starting again")
	}
}

// died takes note of the end of a process and returns the fault that explains it. Pauses before it have happened.
func (n *node) died(err error) (manifest.Perturbation, error) {
	var exit *proc.ExitError
	fatal := slices.IndexFunc(n.faults, func(f manifest.Perturbation) bool { return f.Action != manifest.Pause })
	if fatal < 0 || !errors.As(err, &exit) || exit.Code != -1 {
		if err == nil {
			err = errors.New("the node stopped although nobody asked it to")
		}
		return manifest.Perturbation{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sent, n.received = n.sent+n.last.GetBytesSent(), n.received+n.last.GetBytesReceived()
	fault := n.faults[fatal]
	n.faults = n.faults[fatal+1:]
	n.last, n.gone = nil, fault.Action == manifest.Kill
	return fault, nil
}

// fateOf says in words what the manifest lets happen to a member.
func fateOf(faults []manifest.Perturbation) string {
	var out []string
	for _, f := range faults {
		at := fmt.Sprintf("in round %d at %s", f.Round, f.Step)
		switch f.Action {
		case manifest.Kill:
			out = append(out, "killed "+at)
		case manifest.Pause:
			out = append(out, fmt.Sprintf("stood still for %s %s", time.Duration(f.RestartAfter), at))
		case manifest.Restart:
			out = append(out, fmt.Sprintf("killed %s, back after %s", at, time.Duration(f.RestartAfter)))
		}
	}
	return strings.Join(out, "; ")
}

// pause waits, but not beyond the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ask updates what is known of a node; one that does not answer, because it starts or was killed, is asked again later.
func (n *node) ask(ctx context.Context) {
	c, err := local.Dial(n.dir)
	if err != nil {
		return
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	status, err := c.Status(ctx)
	if err != nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last, n.certified = status, max(n.certified, status.Finished)
}

// status returns the last answer of the node, nil if there is none.
func (n *node) status() *localpb.StatusReply {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.last
}

// traffic returns the bytes sent to and received from other members, by all processes of the node.
func (n *node) traffic() (sent, received uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.sent + n.last.GetBytesSent(), n.received + n.last.GetBytesReceived()
}

// isGone tells whether the node was killed for good.
func (n *node) isGone() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.gone
}

// runningNodes lists the folders below dir whose nodes answer.
func runningNodes(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		n := &node{dir: filepath.Join(dir, e.Name())}
		if n.ask(context.Background()); n.status() != nil {
			out = append(out, n.dir)
		}
	}
	return out
}
