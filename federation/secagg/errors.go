package secagg

import (
	"errors"
	"fmt"
)

// Sentinels that errors of this package wrap. None of them ever carries a secret.
var (
	ErrMessage   = errors.New("malformed secagg message")
	ErrThreshold = errors.New("too few members to go on")
	ErrOrder     = errors.New("secagg step out of order")
	ErrSpent     = errors.New("secagg step was taken already")
	ErrErased    = errors.New("secagg secrets were erased")
	ErrView      = errors.New("members see different messages")
)

// A Fault is proof, from public messages alone, that one member deviated: anyone who runs Open on the same
// transcript finds it. The session is void.
type Fault struct {
	Member int    // index in the roster
	What   string // what its messages contradict
}

func (f *Fault) Error() string {
	return fmt.Sprintf("secagg: member %d cheated: %s: leave it out and start a new attempt", f.Member, f.What)
}
