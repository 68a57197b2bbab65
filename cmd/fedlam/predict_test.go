package main

import (
	"strings"
	"testing"
	"time"
)

func TestETA(t *testing.T) {
	for _, c := range []struct {
		name   string
		ago    time.Duration // the work began
		report func(e *eta)
		want   string
	}{
		{"too early", time.Second / 10, func(e *eta) { e.report(1, "frames") }, ""},
		{"nothing done", time.Minute, func(e *eta) { e.report(0, "frames") }, ""},
		{"frames", time.Minute, func(e *eta) { e.report(1, "frames") }, "1 of 4 frames, 3m0s left\n"},
		{"once per second", time.Minute, func(e *eta) { e.report(1, "frames"); e.report(2, "frames") }, "1 of 4 frames, 3m0s left\n"},
		{"half of a large frame", time.Minute, func(e *eta) { e.within(1, 2)(0.5) }, "50 % of frame 2 of 4, 1m40s left\n"},
		{"large frame just begun", time.Minute, func(e *eta) { e.within(0, 1)(1e-12) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var text strings.Builder
			e := newETA(&text, 4)
			e.start = time.Now().Add(-c.ago)
			c.report(e)
			if text.String() != c.want {
				t.Errorf("got %q, want %q", &text, c.want)
			}
		})
	}
	if newETA(nil, 4).within(0, 3) != nil {
		t.Error("small frames report parts")
	}
}
