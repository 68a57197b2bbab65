package sim

import (
	"slices"
	"strings"
	"testing"
)

func play(t *testing.T, text string) *Outcome {
	t.Helper()
	s, err := Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	o, err := Run(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Err(); err != nil {
		t.Error(err)
	}
	return o
}

func TestUndisturbed(t *testing.T) {
	for _, text := range []string{"members 3", "members 4", "members 7\nfounded"} {
		o := play(t, text+"\nrounds 3\nexpect setup train train")
		if o.Sums == 0 || o.Opened == 0 || o.Disturbed != 0 {
			t.Errorf("%d sums and %d messages with opened shares were looked at, %d disturbances", o.Sums, o.Opened, o.Disturbed)
		}
	}
}

// TestRepeats plays a scenario twice: the same happens, to the same nanosecond.
func TestRepeats(t *testing.T) {
	const text = "members 4\nrounds 3\nseed 5\nlink *->* loss 10% duplicate 10% reorder 30%\nat step masked round 1 kill 2 for 300ms\nat 1s pause 1 for 1s"
	a, b := play(t, text), play(t, text)
	if !slices.Equal(a.Full, b.Full) || a.Took != b.Took {
		t.Errorf("the stories differ:\n%s\n---\n%s", strings.Join(a.Full, "\n"), strings.Join(b.Full, "\n"))
	}
}
