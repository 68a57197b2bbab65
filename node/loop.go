package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/node/wal"
)

// loop owns the machine until ctx ends or the node cannot go on.
func (n *Node) loop(ctx context.Context) error {
	defer n.stop(context.Canceled) // also the trainer's work ends with the loop
	tick := time.NewTicker(n.cfg.Tick)
	defer tick.Stop()
	if err := n.step(ctx, federation.Tick{Now: time.Now()}); err != nil {
		return err
	}
	for {
		var events []federation.Event
		select {
		case <-ctx.Done():
			if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
				return cause
			}
			return nil
		case now := <-tick.C:
			events = []federation.Event{federation.Tick{Now: now}}
		case e := <-n.inbox:
			events = []federation.Event{e}
		case <-n.mail.ready:
			events = n.mail.take()
		}
		for _, e := range events {
			if err := n.step(ctx, e); err != nil {
				return err
			}
		}
	}
}

// step hands one event to the machine and carries out what it says, in order. Only then do others see the new state: what it tells
// of can be had.
func (n *Node) step(ctx context.Context, e federation.Event) error {
	for _, a := range n.machine.Step(e) {
		if err := n.do(ctx, a); err != nil {
			return err
		}
	}
	status := n.machine.Status()
	was := n.status.Swap(&status)
	if status.Done && !was.Done {
		n.log.Info(MsgDone, "rounds", status.Finished)
	}
	return nil
}

func (n *Node) do(ctx context.Context, a federation.Action) error {
	switch a := a.(type) {
	case federation.Persist:
		return n.persist(a)
	case federation.Publish:
		return n.publish(context.WithoutCancel(ctx), a) // a step is finished also when the node is to stop
	case federation.Archive:
		n.archive(a)
	case federation.Store:
		return n.storeFiles(context.WithoutCancel(ctx), a.Round, a.Files)
	case federation.Broadcast:
		n.hook(a.Round, a.Envelopes)
		for _, p := range n.roster.Load().members {
			n.send(p, a.Round, a.Envelopes)
		}
	case federation.Send:
		n.hook(a.Round, a.Envelopes)
		if p, ok := n.roster.Load().members[a.To]; ok {
			n.send(p, a.Round, a.Envelopes)
		}
	case federation.FetchRounds:
		n.once("rounds "+a.From.String(), func() { n.fetchRounds(ctx, a) })
	case federation.Fetch:
		n.once("file "+a.CID.String(), func() { n.fetch(ctx, a) })
	case federation.CollectSetup:
		n.collect(a)
	case federation.ApplySetup:
		n.apply(a)
	case federation.Train:
		n.train(a)
	case federation.TrainAhead:
		n.trainAhead(a)
	case federation.Judge:
		n.judge(a)
	case federation.Install:
		return n.install(a)
	case federation.Members:
		return n.setMembers(a)
	case federation.Progress:
		n.progress(a)
	case federation.Halt:
		return fmt.Errorf("%w: %s", ErrHalted, a.Reason)
	default:
		return fmt.Errorf("node: the machine asks for %T, which this program does not know", a)
	}
	return nil
}

// persist returns when the entries are on the disk. A promise that cannot be kept halts the node.
func (n *Node) persist(a federation.Persist) error {
	err := n.wal.Commit(wal.Batch{Once: entries(a.Once), Set: entries(a.Set), Delete: a.Delete})
	if errors.Is(err, wal.ErrConflict) {
		return fmt.Errorf("%w: %w", ErrHalted, err)
	}
	return err
}

func entries(in []federation.Entry) []wal.Entry {
	out := make([]wal.Entry, len(in))
	for i, e := range in {
		out[i] = wal.Entry(e)
	}
	return out
}

// once runs f in the background unless the same is being done already.
func (n *Node) once(what string, f func()) {
	if _, busy := n.busy.LoadOrStore(what, true); busy {
		return
	}
	n.wait.Go(func() {
		defer n.busy.Delete(what)
		f()
	})
}

func (n *Node) send(to peerID, round uint64, envelopes [][]byte) {
	if err := n.network.Send(to, round, envelopes...); err != nil {
		n.log.Error("cannot send", "error", err)
	}
}

// hook crashes or pauses where a test wants it.
func (n *Node) hook(round uint64, envelopes [][]byte) {
	h := &n.cfg.Hooks
	if h.Pause.reached(round, envelopes) {
		n.log.Warn("test hook: pause", "step", h.Pause.Step, "round", round, "for", h.PauseFor.String())
		h.Pause = Moment{}
		time.Sleep(h.PauseFor)
	}
	if h.Crash.reached(round, envelopes) {
		n.log.Warn(MsgCrash, "step", h.Crash.Step, "round", round)
		h.Crash = Moment{}
		if h.Kill != nil {
			h.Kill()
			return
		}
		killSelf()
	}
}
