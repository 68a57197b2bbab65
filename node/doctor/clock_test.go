package doctor_test

import (
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/doctor"
)

func TestClock(t *testing.T) {
	offsets := func(ahead ...time.Duration) (out []doctor.Offset) {
		for i, d := range ahead {
			out = append(out, doctor.Offset{Member: string(rune('a' + i)), Ahead: d, Within: 3 * time.Millisecond})
		}
		return out
	}
	for _, c := range []struct {
		name string
		f    doctor.ClockFacts
		want []want
	}{
		{"nobody replied", doctor.ClockFacts{}, []want{{doctor.Skipped, "no clock to compare with", "reachability"}}},
		{"right", doctor.ClockFacts{Offsets: offsets(-20*time.Millisecond, 10*time.Millisecond, 30*time.Millisecond)},
			[]want{{doctor.OK, "your clock is 10ms behind the median of 3 members (known to 3ms)", ""}}},
		{"median of an even number", doctor.ClockFacts{Offsets: offsets(0, 40*time.Millisecond)}, []want{{doctor.OK, "20ms behind", ""}}},
		{"ahead", doctor.ClockFacts{Offsets: offsets(-3*time.Second, -3*time.Second, -4*time.Second)}, []want{{doctor.Warning, "your clock is 3s ahead of", "NTP"}}},
		{"far behind", doctor.ClockFacts{Offsets: offsets(31*time.Second, 31*time.Second, 31*time.Second)}, []want{{doctor.Failed, "31s behind", "timedatectl"}}},
		{"at the limits", doctor.ClockFacts{Offsets: offsets(2 * time.Second)}, []want{{doctor.OK, "2s behind", ""}}},
		{"at the upper limit", doctor.ClockFacts{Offsets: offsets(30 * time.Second)},
			[]want{{doctor.Warning, "that of the only member that replied", "unless it is the other clock"}}},
		{"one of the others is wrong", doctor.ClockFacts{Offsets: offsets(0, time.Hour, 0)},
			[]want{{doctor.OK, "your clock agrees with the median", ""}, {doctor.Warning, "the clock of b is 1h0m0s ahead of the median of the others", "tell b"}}},
		{"a lie of the greatest size", doctor.ClockFacts{Offsets: offsets(0, 1<<63-1, 0)},
			[]want{{doctor.OK, "your clock agrees with the median", ""}, {doctor.Warning, "the clock of b", "tell b"}}},
		{"moved meanwhile", doctor.ClockFacts{Jump: -5 * time.Second, Offsets: offsets(0)}, []want{{doctor.Warning, "moved by -5s", "run fedlam doctor again"}}},
	} {
		t.Run(c.name, func(t *testing.T) { check(t, doctor.Clock(c.f), c.want...) })
	}
}
