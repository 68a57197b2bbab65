package doctor

import (
	"time"

	"github.com/fedlam/fedlam/node/p2p"
	"github.com/fedlam/fedlam/proto/localpb"
)

// Message returns an event as a running node sends it to its owner.
func (e Event) Message() *localpb.DoctorEvent {
	if e.Finding == nil {
		return &localpb.DoctorEvent{Event: &localpb.DoctorEvent_Begins{Begins: e.Begins}}
	}
	f := &localpb.Finding{Check: e.Finding.Check, Member: e.Finding.Member, State: string(e.Finding.State), Text: e.Finding.Text, Next: e.Finding.Next}
	for _, p := range e.Finding.Paths {
		f.Paths = append(f.Paths, &localpb.Path{From: p.From, To: p.To, Address: p.Address, Transport: p.Transport, Outcome: string(p.Outcome),
			Seconds: p.Took.Seconds()})
	}
	return &localpb.DoctorEvent{Event: &localpb.DoctorEvent_Finding{Finding: f}}
}

// EventFrom reads what Message wrote.
func EventFrom(m *localpb.DoctorEvent) Event {
	if m.GetFinding() == nil {
		return Event{Begins: m.GetBegins()}
	}
	f := m.GetFinding()
	out := &Finding{Check: f.Check, Member: f.Member, State: State(f.State), Text: f.Text, Next: f.Next}
	for _, p := range f.Paths {
		out.Paths = append(out.Paths, Path{From: p.From, To: p.To, Address: p.Address, Transport: p.Transport, Outcome: p2p.Outcome(p.Outcome),
			Took: time.Duration(p.Seconds * float64(time.Second))})
	}
	return Event{Finding: out}
}
