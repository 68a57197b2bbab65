// Package federation is the protocol by which members improve one model round by round, as a pure state machine: events go
// in, actions come out, and there is no socket, clock, disk or randomness inside.
//
// A driver owns the outside world. It makes a Machine from the genesis document, the member's key and the log entries of
// earlier runs, then repeats:
//
//	for _, a := range m.Step(event) {
//		switch a := a.(type) {
//		case federation.Persist:   // fsync before going on
//		case federation.Broadcast: // queue envelopes for all other members
//		case federation.Train:     // start trainer.Train; its result comes back as a Trained event
//		...
//		}
//	}
package federation
