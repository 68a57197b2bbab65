package optim

import (
	"fmt"
	"math"
)

// A Schedule says the learning rate of every step. Zero fields take the documented defaults in NewSchedule.
type Schedule struct {
	Type              string  `toml:"type" json:"type"`                               // "exp" (default) or "cosine"
	StartLR           float64 `toml:"start_lr" json:"start_lr"`                       // rate at step 0 after warm-up; required
	StopLR            float64 `toml:"stop_lr" json:"stop_lr,omitempty"`               // rate at the last step; this or StopLRRatio
	StopLRRatio       float64 `toml:"stop_lr_ratio" json:"stop_lr_ratio,omitempty"`   // StopLR as a fraction of StartLR
	DecaySteps        int     `toml:"decay_steps" json:"decay_steps,omitempty"`       // exp: steps between two reductions (5000)
	DecayRate         float64 `toml:"decay_rate" json:"decay_rate,omitempty"`         // exp: factor per reduction; derived when 0
	Smooth            bool    `toml:"smooth" json:"smooth,omitempty"`                 // exp: reduce at every step instead of stepwise
	WarmupSteps       int     `toml:"warmup_steps" json:"warmup_steps,omitempty"`     // steps of linear rise before the decay
	WarmupRatio       float64 `toml:"warmup_ratio" json:"warmup_ratio,omitempty"`     // WarmupSteps as a fraction of all steps
	WarmupStartFactor float64 `toml:"warmup_start_factor" json:"warmup_start_factor"` // rate at step 0 of the warm-up / StartLR
	NumSteps          int     `toml:"-" json:"num_steps"`                             // length of the training, warm-up included
}

// NewSchedule checks s and fills what can be derived. It is the only way to get a usable Schedule.
func NewSchedule(s Schedule) (*Schedule, error) {
	if s.Type == "" {
		s.Type = "exp"
	}
	if s.StopLR == 0 {
		s.StopLR = s.StopLRRatio * s.StartLR
	}
	if s.WarmupSteps == 0 {
		s.WarmupSteps = int(s.WarmupRatio * float64(s.NumSteps))
	}
	if err := s.validate(); err != nil {
		return nil, fmt.Errorf("learning rate: %w", err)
	}
	if s.Type == "exp" {
		s.fillDecay()
	}
	return &s, nil
}

func (s *Schedule) validate() error {
	switch {
	case s.Type != "exp" && s.Type != "cosine":
		return fmt.Errorf("type %q is not known; use exp or cosine", s.Type)
	case !(s.StartLR > 0) || math.IsInf(s.StartLR, 0):
		return fmt.Errorf("start_lr is %g, want a positive number such as 1e-3", s.StartLR)
	case !(s.StopLR > 0) || math.IsInf(s.StopLR, 0):
		return fmt.Errorf("give stop_lr or stop_lr_ratio as a positive number, such as stop_lr = 1e-6")
	case s.NumSteps <= 0:
		return fmt.Errorf("numb_steps is %d, want a positive number", s.NumSteps)
	case s.WarmupSteps < 0 || s.WarmupSteps >= s.NumSteps:
		return fmt.Errorf("warmup_steps is %d, want less than the %d steps of the training", s.WarmupSteps, s.NumSteps)
	case s.WarmupStartFactor < 0 || s.WarmupStartFactor > 1:
		return fmt.Errorf("warmup_start_factor is %g, want between 0 and 1", s.WarmupStartFactor)
	case s.DecaySteps < 0 || s.DecayRate < 0 || s.DecayRate > 1:
		return fmt.Errorf("decay_steps %d and decay_rate %g: want a positive number and a factor of at most 1", s.DecaySteps, s.DecayRate)
	}
	return nil
}

// fillDecay derives the reduction interval and factor. An interval that does not fit in the training is replaced as
// DeePMD-kit does: by 100 for trainings of more than 1,000 steps, by a hundredth of the training below.
func (s *Schedule) fillDecay() {
	if s.DecaySteps == 0 {
		s.DecaySteps = 5000
	}
	total := s.NumSteps - s.WarmupSteps
	if s.DecayRate == 0 && s.DecaySteps >= total {
		s.DecaySteps = 100
		if total/10 <= 100 {
			s.DecaySteps = total/100 + 1
		}
	}
	if s.DecayRate == 0 {
		s.DecayRate = math.Exp(math.Log(max(s.StopLR, 1e-10)/s.StartLR) * float64(s.DecaySteps) / float64(total))
	}
}

// At returns the learning rate of a step; the first step is 0. Steps past the end keep the last rate.
func (s *Schedule) At(step int) float64 {
	if step < s.WarmupSteps {
		from := s.WarmupStartFactor * s.StartLR
		return from + (s.StartLR-from)*float64(step)/float64(s.WarmupSteps)
	}
	t, total := float64(step-s.WarmupSteps), float64(s.NumSteps-s.WarmupSteps)
	if s.Type == "cosine" {
		return s.StopLR + 0.5*(s.StartLR-s.StopLR)*(1+math.Cos(math.Pi*min(t, total)/total))
	}
	exponent := t / float64(s.DecaySteps)
	if !s.Smooth {
		exponent = math.Floor(exponent)
	}
	return max(s.StopLR, s.StartLR*math.Pow(s.DecayRate, exponent))
}
