package silo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/fedlam/fedlam/training"
)

// ResultsVersion is the version of the layout of Results as JSON.
const ResultsVersion = 1

// Results are the errors of one set of weights on this member's validation frames. They stay with the member.
type Results struct {
	Version int    `json:"fedlam_results"` // ResultsVersion
	Round   uint64 `json:"round"`          // certified round whose weights these are
	Weights string `json:"weights"`        // CID
	Step    int    `json:"step"`           // local steps done so far
	// Sent and Received count the bytes of all streams to and from members since the node started.
	Sent     int64 `json:"sent_bytes"`
	Received int64 `json:"received_bytes"`
	// Heads by key.
	Heads map[string]HeadResults `json:"heads"`
}

// HeadResults are the errors of one head.
type HeadResults struct {
	Name           string           `json:"name"`
	TrainingFrames int              `json:"training_frames"`
	Validation     training.Metrics `json:"validation"` // eV/atom and eV/Å
}

// Validate evaluates all heads with the certified weights that were installed or merged last.
func (s *Silo) Validate(ctx context.Context) (r Results, err error) {
	err = s.asCertified(ctx, func() error {
		r, err = s.validate(ctx)
		return err
	})
	return r, err
}

func (s *Silo) validate(ctx context.Context) (Results, error) {
	r := Results{Version: ResultsVersion, Step: s.Step(), Heads: map[string]HeadResults{}}
	for _, h := range s.heads {
		m, err := s.trainer.Validate(ctx, h.Key)
		if err != nil {
			return r, fmt.Errorf("validate head %s: %w", h.Key, err)
		}
		r.Heads[h.Key] = HeadResults{h.Name, h.Training, m}
	}
	return r, nil
}

// Text returns the results as JSON.
func (r Results) Text() ([]byte, error) {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write results: %w", err)
	}
	return append(text, '\n'), nil
}
