package doctor_test

import (
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/google/go-cmp/cmp"
)

func TestEventsOnTheWire(t *testing.T) {
	for _, want := range []doctor.Event{
		{Begins: "asking bank"},
		{Finding: &doctor.Finding{Check: "disk", State: doctor.OK, Text: "fine"}},
		{Finding: &doctor.Finding{Check: "reachability", Member: "bank", State: doctor.Failed, Text: "blocked", Next: "open port 4101",
			Paths: []doctor.Path{{From: "lab", To: "bank", Address: "/ip4/127.0.0.1/tcp/1", Transport: "tcp", Outcome: p2p.Refused, Took: 250 * time.Millisecond}}}},
	} {
		if diff := cmp.Diff(want, doctor.EventFrom(want.Message())); diff != "" {
			t.Error(diff)
		}
	}
}
