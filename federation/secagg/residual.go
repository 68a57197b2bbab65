package secagg

import (
	"errors"
	"fmt"
	"io"
)

// ErrResidual is returned for a residual that does not belong to the round at hand.
var ErrResidual = errors.New("residual of another round")

// Version says where in the chain of rounds an update belongs.
type Version struct {
	Round uint64
	Chain [32]byte // digest of the certificate of the round before
}

// Residual is what quantisation left out of a member's update; it is added to its next one (error feedback). It
// is as private as the update.
type Residual struct {
	Version Version   // the round it was made in while Pending, afterwards the round it may be used in
	Pending bool      // the round it was made in is not certified yet
	Values  []float64 // parameter units
}

// Advance makes the residual usable in the next round, once the certificate of round Version.Round is known: the new
// residual when the member's lanes are in the certified sum, the one used before when they are not.
func (r *Residual) Advance(certificate [32]byte) {
	r.Version = Version{Round: r.Version.Round + 1, Chain: certificate}
	r.Pending = false
}

// String keeps values out of logs.
func (r Residual) String() string {
	return fmt.Sprintf("secagg.Residual{round %d, %d values hidden}", r.Version.Round, len(r.Values))
}

// Format prints String for every verb.
func (r Residual) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// addTo returns a fresh slice with the update and the residual added.
func (r *Residual) addTo(update []float64, at Version) ([]float64, error) {
	values := append([]float64(nil), update...)
	if r == nil {
		return values, nil
	}
	switch {
	case r.Pending:
		return nil, fmt.Errorf("quantize for round %d: %w: it waits for the certificate of round %d: call Advance", at.Round, ErrResidual, r.Version.Round)
	case r.Version != at:
		return nil, fmt.Errorf("quantize for round %d: %w: it is for round %d or another chain: drop it", at.Round, ErrResidual, r.Version.Round)
	case len(r.Values) != len(update):
		return nil, fmt.Errorf("quantize for round %d: %w: %d values for an update of %d", at.Round, ErrResidual, len(r.Values), len(update))
	}
	for k, v := range r.Values {
		values[k] += v
	}
	return values, nil
}
