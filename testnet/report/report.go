package report

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"
)

// Version of the JSON layout.
const Version = 1

// Report is what came of a run; the package comment explains the fields.
type Report struct {
	Version      int          `json:"fedlam_testnet"`
	Name         string       `json:"name"`
	Started      time.Time    `json:"started"`
	Wall         float64      `json:"wall_s"`
	Stages       []Stage      `json:"stages"`
	Rounds       int          `json:"rounds"`
	Certified    int          `json:"certified"`
	Void         int          `json:"void"`
	LocalSteps   int          `json:"local_steps"`
	Genesis      string       `json:"genesis"`
	Record       string       `json:"record"`
	Certificate  string       `json:"certificate"`
	Weights      string       `json:"weights"`
	Verification Verification `json:"verification"`
	Heads        []Head       `json:"heads"`
	Members      []Member     `json:"members"`
	Sums         []Sum        `json:"sums,omitempty"`
	Checks       []Check      `json:"checks"`
	Commands     []Command    `json:"commands"`
	Met          bool         `json:"met"`
}

// Stage is a part of the run and how long it took, seconds.
type Stage struct {
	Name string  `json:"name"`
	Wall float64 `json:"wall_s"`
}

// Verification is what `fedlam verify` said.
type Verification struct {
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// Scores are errors on validation frames.
type Scores struct {
	Frames     int     `json:"validation_frames"`
	Trained    int     `json:"training_frames"`
	Reference  float64 `json:"reference_force"` // root mean square of the label's components, meV/Å
	Local      Errors  `json:"local"`
	Federation Errors  `json:"federation"`
}

// Errors are root mean square errors and over how many labels: meV/atom over frames, meV/Å over components.
type Errors struct {
	Energy   float64 `json:"energy"`
	Force    float64 `json:"force"`
	Energies int     `json:"energies"`
	Forces   int     `json:"forces"`
}

// Head is one label convention.
type Head struct {
	Key     string   `json:"key"`
	Name    string   `json:"name"`
	Shared  bool     `json:"shared"`
	Members []string `json:"members"`
	Scores
}

// Member is one institution.
type Member struct {
	Name     string `json:"name"`
	Head     string `json:"head"`
	Sent     uint64 `json:"bytes_sent"`
	Received uint64 `json:"bytes_received"`
	PerRound uint64 `json:"bytes_sent_per_round"`
	Fate     string `json:"fate,omitempty"`
	Scores
}

// Sum is the comparison of one secure sum with what its members put in.
type Sum struct {
	Round   int      `json:"round"`
	Group   string   `json:"group"`
	Members []string `json:"members"`
	Numbers int      `json:"numbers"`
	Exact   bool     `json:"exact"`
}

// Check is one thing that the manifest expects: value must not exceed limit.
type Check struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Met   bool    `json:"met"`
}

// Command is a line to copy.
type Command struct {
	What string `json:"what"`
	Line string `json:"line"`
}

// Pool makes the scores of a head from those of its members: errors over all their labels.
func Pool(members []Scores) Scores {
	var all Scores
	var reference, forces float64
	for _, s := range members {
		all.Frames += s.Frames
		all.Trained += s.Trained
		all.Local = all.Local.pool(s.Local)
		all.Federation = all.Federation.pool(s.Federation)
		reference += s.Reference * s.Reference * float64(s.Local.Forces)
		forces += float64(s.Local.Forces)
	}
	if forces > 0 {
		all.Reference = math.Sqrt(reference / forces)
	}
	return all
}

func (e Errors) pool(o Errors) Errors {
	rms := func(a float64, n int, b float64, m int) float64 {
		if n+m == 0 {
			return 0
		}
		return math.Sqrt((a*a*float64(n) + b*b*float64(m)) / float64(n+m))
	}
	return Errors{rms(e.Energy, e.Energies, o.Energy, o.Energies), rms(e.Force, e.Forces, o.Force, o.Forces),
		e.Energies + o.Energies, e.Forces + o.Forces}
}

// Judge holds every head to the two factors of a manifest's [expect] (0 is not checked) and sets Checks and Met.
func (r *Report) Judge(forceOfReference, forceOfLocal float64) {
	r.Checks = []Check{}
	for _, h := range r.Heads {
		force := h.Federation.Force
		if h.Federation.Forces == 0 {
			force = math.NaN() // nothing was evaluated
		}
		r.check(fmt.Sprintf("%s (%s): force RMSE / reference", h.Name, h.Key), force/h.Reference, forceOfReference)
		r.check(fmt.Sprintf("%s (%s): force RMSE / local-only", h.Name, h.Key), force/h.Local.Force, forceOfLocal)
	}
	r.Met = r.Verification.OK
	for _, c := range r.Checks {
		r.Met = r.Met && c.Met
	}
	for _, s := range r.Sums {
		r.Met = r.Met && s.Exact
	}
}

// check adds a check; a value that is no number is never met.
func (r *Report) check(name string, value, limit float64) {
	if limit == 0 {
		return
	}
	c := Check{Name: name, Value: value, Limit: limit, Met: value <= limit}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		c.Value = -1 // JSON has no word for it
	}
	r.Checks = append(r.Checks, c)
}

// WriteFile writes the report as JSON; "-" is standard output.
func (r *Report) WriteFile(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	text = append(text, '\n')
	if path == "-" {
		_, err = os.Stdout.Write(text)
	} else {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}
