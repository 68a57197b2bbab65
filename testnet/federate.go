package testnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/fedlam/fedlam/testnet/manifest"
	"github.com/fedlam/fedlam/testnet/proc"
)

const lookEvery = 300 * time.Millisecond

// federate founds the federation and runs it until every node that is alive has certified all rounds.
func (r *run) federate(ctx context.Context) error {
	if err := r.found(ctx); err != nil {
		return err
	}
	return r.supervise(ctx)
}

// supervise keeps the nodes running until all are done; they run on when it returns nil.
func (r *run) supervise(ctx context.Context) error {
	r.progress = newProgress(r.console, r.goal(), len(r.nodes))
	patience, cancel := context.WithTimeoutCause(ctx, time.Duration(r.cfg.Manifest.Timeout), errTimeout)
	defer cancel()
	lives, alive := errgroup.WithContext(patience)
	alive, finished := context.WithCancel(alive)
	defer finished()
	for _, n := range r.nodes {
		lives.Go(func() error { return r.live(alive, n) })
	}
	complete := r.wait(alive)
	finished()
	if err := lives.Wait(); err != nil {
		return err
	}
	if complete {
		return nil
	}
	if err := context.Cause(patience); !errors.Is(err, errTimeout) {
		return err
	}
	return fmt.Errorf("%w of %s: %d of %d rounds are certified; look at %s for what the nodes wait for, or raise timeout in the manifest",
		errTimeout, time.Duration(r.cfg.Manifest.Timeout), r.slowest(), r.goal(), r.cfg.Folder.Path("logs"))
}

var errTimeout = errors.New("the federation did not finish within its timeout")

// wait looks at the nodes until all are done, and says whether that came before the end of ctx.
func (r *run) wait(ctx context.Context) bool {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
		var asking sync.WaitGroup
		for _, n := range r.nodes {
			asking.Go(func() { n.ask(ctx) })
		}
		asking.Wait()
		if r.slowest() >= r.goal() {
			return true
		}
	}
}

// slowest returns how many rounds every node that is alive has certified and evaluated.
func (r *run) slowest() uint64 {
	least := r.goal()
	for _, n := range r.nodes {
		if !n.isGone() {
			least = min(least, n.finished())
		}
	}
	return least
}

// finished returns how many certified rounds the node has taken over: the newest counts once its results are on disk.
func (n *node) finished() uint64 {
	done := n.status().GetFinished()
	if done == 0 {
		return 0
	}
	if _, err := os.Stat(filepath.Join(n.dir, "data", "results", fmt.Sprintf("round-%06d.json", done-1))); err != nil {
		return done - 1
	}
	return done
}

// nodeCommand is the next process of a node, with the faults it is to suffer.
func (r *run) nodeCommand(n *node) proc.Command {
	env := append(r.env(), faultEnv(n.faults)...)
	if r.cfg.Manifest.RecordInputs {
		env = append(env, "FEDLAM_WITNESS="+r.inputs(n.Name))
	}
	return proc.Command{Name: n.Name, Path: r.cfg.Program, Args: []string{"node", n.dir, "--log", "json"}, Env: env,
		Line: func(line string) { r.progress.line(n.Name, line) }}
}

// faultEnv tells a process about the faults up to the first that ends it. The hooks are described in package node.
func faultEnv(faults []manifest.Perturbation) []string {
	var env []string
	for _, f := range faults {
		moment := fmt.Sprintf("%s:%d", f.Step, f.Round)
		if f.Action != manifest.Pause {
			return append(env, "FEDLAM_CRASH="+moment)
		}
		env = append(env, fmt.Sprintf("FEDLAM_PAUSE=%s:%s", moment, time.Duration(f.RestartAfter)))
	}
	return env
}

// stop ends all nodes gracefully.
func (r *run) stop() {
	var all sync.WaitGroup
	for _, n := range r.nodes {
		n.mu.Lock()
		p := n.process
		n.mu.Unlock()
		if p != nil {
			all.Go(p.Stop)
		}
	}
	all.Wait()
}
