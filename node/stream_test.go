package node_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/google/go-cmp/cmp"
)

// streamTrainer is a fakeTrainer that trains on until it is stopped.
type streamTrainer struct {
	*fakeTrainer
	mu      sync.Mutex
	busy    int // calls under way
	calls   []string
	stopped int // calls of Ahead that a Merge cut off
}

func (s *streamTrainer) enter(call string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy++; s.busy > 1 {
		call += " while another call is under way"
	}
	s.calls = append(s.calls, call)
}

func (s *streamTrainer) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
}

func (s *streamTrainer) Continue(ctx context.Context, w *weights.Set, steps int) (federation.Update, error) {
	s.enter("continue")
	defer s.leave()
	return s.Train(ctx, w, steps)
}

func (s *streamTrainer) Ahead(ctx context.Context, steps int) error {
	s.enter(fmt.Sprintf("ahead %d", steps))
	defer s.leave()
	<-ctx.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped++
	return ctx.Err()
}

func (s *streamTrainer) Merge(ctx context.Context, w *weights.Set, taken []federation.Slice) error {
	n := 0
	for _, x := range taken {
		if x.Tensor == trunkName {
			n += x.Len
		}
	}
	s.enter(fmt.Sprintf("merge %d", n))
	defer s.leave()
	return s.Install(ctx, w)
}

func streaming(g *ledger.Genesis, _ *founding.Documents) { g.Rules.Fragments = 2 }

// TestNodesTrainAhead runs members whose trainers never stop by themselves: certified weights do it.
func TestNodesTrainAhead(t *testing.T) {
	noLeaks(t)
	sites, _ := newFederation(t, 3, home.Policy{MinCohort: 3, Rounds: 4}, streaming)
	var trainers []*streamTrainer
	for _, s := range sites {
		cfg := s.config()
		trainer := &streamTrainer{fakeTrainer: s.trainer}
		trainers, cfg.Trainer = append(trainers, trainer), trainer
		s.start(t, cfg)
	}
	for _, s := range sites {
		s.log.wait(t, node.MsgResults, 4)
		s.stop(t)
	}
	for i, s := range trainers {
		// The trunk has six numbers. In the last round there is nothing to train for. A round that was slow may have been void.
		ahead, story := 0, strings.Join(s.calls, ", ")
		for k, call := range s.calls {
			if call == "ahead 4" {
				ahead++
				if s.calls[k-1] != "continue" || !strings.HasPrefix(s.calls[k+1], "merge ") {
					t.Errorf("M%d: %s; want every ahead between a continue and a merge", i, story)
				}
			}
		}
		if !strings.HasPrefix(story, "merge 0, continue, ahead 4, merge ") || !strings.Contains(story, "merge 3") || strings.Contains(story, "while") {
			t.Errorf("M%d: %s; want merges of three numbers, one call after the other", i, story)
		}
		if ahead == 0 || s.stopped != ahead {
			t.Errorf("M%d: %d calls of Ahead, of which a merge stopped %d, want all", i, ahead, s.stopped)
		}
		if !cmp.Equal(s.installed, trainers[0].installed) {
			t.Errorf("M%d has %v, M0 %v", i, s.installed, trainers[0].installed)
		}
	}
}

func TestFragmentsNeedAStreamer(t *testing.T) {
	sites, _ := newFederation(t, 3, small, streaming)
	if n, err := node.Start(t.Context(), sites[0].config()); err == nil || !strings.Contains(err.Error(), "Streamer") {
		if err == nil {
			err = n.Close()
		}
		t.Errorf("started with a trainer that cannot train ahead; %v", err)
	}
}
