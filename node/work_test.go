package node

import (
	"context"
	"fmt"
	"testing"

	"github.com/fedlam/fedlam/federation"
)

func TestWorkOrderAndReplacement(t *testing.T) {
	w := newWork()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	log := make(chan string, 10)
	started := make(chan struct{})
	go func() {
		defer close(ended)
		w.loop(ctx)
	}()
	w.add(job{canBeLeft, func(ctx context.Context) {
		close(started)
		<-ctx.Done() // cut off by the next job
		log <- "train 1 cut"
	}})
	<-started
	w.add(job{mustRun, func(context.Context) { log <- "install" }})
	first := <-log
	if first != "train 1 cut" || <-log != "install" {
		t.Errorf("a running job that can be left was not cut off first: %q", first)
	}
	hold := make(chan struct{})
	w.add(job{mustRun, func(ctx context.Context) {
		<-hold
		log <- fmt.Sprint("must ", ctx.Err())
	}})
	w.add(job{canBeLeft, func(context.Context) { log <- "train 2" }})
	w.add(job{canBeLeft, func(context.Context) { log <- "train 3" }})
	close(hold)
	for _, want := range []string{"must <nil>", "train 3"} {
		if got := <-log; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	cancel()
	<-ended
	w.add(job{mustRun, func(context.Context) { t.Error("ran after the end") }})
}

func TestMailboxKeepsOrder(t *testing.T) {
	m := newMailbox()
	for i := range 3 {
		m.post(federation.Failed{Round: uint64(i)})
	}
	<-m.ready
	for i, e := range m.take() {
		if e.(federation.Failed).Round != uint64(i) {
			t.Errorf("event %d is %v", i, e)
		}
	}
	if len(m.take()) != 0 {
		t.Error("events come twice")
	}
}
