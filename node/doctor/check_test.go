package doctor_test

import (
	"strings"
	"testing"

	"github.com/fedlam/fedlam/node/doctor"
)

// want is a finding as a test expects it: text and next are parts of what must be said; an empty next demands that there is nothing
// to do.
type want struct {
	state      doctor.State
	text, next string
}

func check(t *testing.T, got []doctor.Finding, wants ...want) {
	t.Helper()
	if len(got) != len(wants) {
		t.Fatalf("%d findings, want %d: %+v", len(got), len(wants), got)
	}
	for i, f := range got {
		w := wants[i]
		if f.State != w.state || !strings.Contains(f.Text, w.text) || !strings.Contains(f.Next, w.next) || w.next == "" && f.Next != "" {
			t.Errorf("finding %d: %s: %s\n  next: %s\nwant %s: ..%s..\n  next: ..%s..", i, f.State, f.Text, f.Next, w.state, w.text, w.next)
		}
		if f.Check == "" || f.State == doctor.Failed && f.Next == "" {
			t.Errorf("finding %d does not say which check failed and what to do next: %+v", i, f)
		}
	}
}
