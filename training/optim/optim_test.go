package optim

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
)

// TestScheduleGolden compares with schedules sampled from DeePMD-kit v3.1.3.
func TestScheduleGolden(t *testing.T) {
	f, err := os.Open("testdata/lr_schedules.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Params    Schedule  `json:"params"`
		DecayRate *float64  `json:"decay_rate"`
		Steps     []int     `json:"steps"`
		LR        []float64 `json:"lr"`
	}
	if err := json.NewDecoder(z).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 8 {
		t.Fatalf("only %d golden schedules", len(cases))
	}
	for i, c := range cases {
		s, err := NewSchedule(c.Params)
		if err != nil {
			t.Fatalf("case %d: %v", i, err)
		}
		if c.DecayRate != nil && relative(s.DecayRate, *c.DecayRate) > 1e-12 {
			t.Errorf("case %d: decay rate %g, want %g", i, s.DecayRate, *c.DecayRate)
		}
		for k, step := range c.Steps {
			if got := s.At(step); relative(got, c.LR[k]) > 1e-9 {
				t.Errorf("case %d (%s) step %d: rate %g, want %g", i, s.Type, step, got, c.LR[k])
			}
		}
	}
}

func TestScheduleErrors(t *testing.T) {
	good := Schedule{StartLR: 1e-3, StopLR: 1e-6, NumSteps: 100}
	for _, c := range []struct {
		name, want string
		spoil      func(*Schedule)
	}{
		{"unknown type", "exp or cosine", func(s *Schedule) { s.Type = "linear" }},
		{"no start", "start_lr", func(s *Schedule) { s.StartLR = 0 }},
		{"NaN start", "start_lr", func(s *Schedule) { s.StartLR = math.NaN() }},
		{"no stop", "stop_lr", func(s *Schedule) { s.StopLR = 0 }},
		{"no steps", "numb_steps", func(s *Schedule) { s.NumSteps = 0 }},
		{"all warm-up", "warmup_steps", func(s *Schedule) { s.WarmupSteps = 100 }},
		{"growing", "decay_rate", func(s *Schedule) { s.DecayRate = 1.5 }},
	} {
		s := good
		c.spoil(&s)
		if _, err := NewSchedule(s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one that names %s", c.name, err, c.want)
		}
	}
	if _, err := NewSchedule(good); err != nil {
		t.Errorf("good schedule refused: %v", err)
	}
}

// TestAdamByHand follows two steps of one number, worked out from the paper's Algorithm 1.
func TestAdamByHand(t *testing.T) {
	a, err := NewAdam(Config{})
	if err != nil {
		t.Fatal(err)
	}
	x := []float64{1}
	for _, g := range []float64{0.5, -0.25} {
		if err := a.Step(0.1, []Param{{"x", x, []float64{g}}}); err != nil {
			t.Fatal(err)
		}
	}
	m1, v1 := 0.05, 0.00025
	want := 1 - 0.1*(m1/0.1)/(math.Sqrt(v1/0.001)+1e-8)
	m2, v2 := 0.9*m1+0.1*-0.25, 0.999*v1+0.001*0.0625
	want -= 0.1 * (m2 / (1 - 0.81)) / (math.Sqrt(v2/(1-0.999*0.999)) + 1e-8)
	if math.Abs(x[0]-want) > 1e-12 {
		t.Errorf("after two steps %v, want %v", x[0], want)
	}
}

func TestDecay(t *testing.T) {
	decay := 0.1
	for _, c := range []struct {
		kind string
		want float64 // of x = 2 after one step at rate 0.01 with gradient 0
	}{
		{"Adam", 2 - 0.01}, // L2 makes a gradient of 0.2, and Adam's first step is lr * sign
		{"AdamW", 2 * (1 - 0.01*0.1)},
	} {
		a, err := NewAdam(Config{Type: c.kind, WeightDecay: &decay})
		if err != nil {
			t.Fatal(err)
		}
		x := []float64{2}
		if err := a.Step(0.01, []Param{{"x", x, []float64{0}}}); err != nil {
			t.Fatal(err)
		}
		if math.Abs(x[0]-c.want) > 1e-7 {
			t.Errorf("%s: %v, want %v", c.kind, x[0], c.want)
		}
	}
}

func TestParametersWithoutGradientRest(t *testing.T) {
	a, _ := NewAdam(Config{})
	x, y := []float64{1}, []float64{1}
	for i := range 3 {
		grad := []float64{1}
		if i == 1 {
			grad = nil
		}
		if err := a.Step(0.1, []Param{{"x", x, []float64{1}}, {"y", y, grad}}); err != nil {
			t.Fatal(err)
		}
	}
	if s := a.State(); s["x"].Step != 3 || s["y"].Step != 2 {
		t.Errorf("step counters %d and %d, want 3 and 2", s["x"].Step, s["y"].Step)
	}
}

func TestNotFiniteChangesNothing(t *testing.T) {
	a, _ := NewAdam(Config{})
	x, y := []float64{1}, []float64{2}
	err := a.Step(0.1, []Param{{"x", x, []float64{1}}, {"y", y, []float64{math.NaN()}}})
	if !errors.Is(err, ErrNotFinite) || x[0] != 1 || y[0] != 2 || len(a.State()) != 0 {
		t.Errorf("error %v, values %v %v, state %v; want an error and no change", err, x, y, a.State())
	}
	if _, err := Clip([]Param{{"y", y, []float64{math.Inf(1)}}}, 1); !errors.Is(err, ErrNotFinite) {
		t.Errorf("clip: %v, want ErrNotFinite", err)
	}
}

func TestClip(t *testing.T) {
	for _, c := range []struct {
		name      string
		max, want float64 // norm afterwards
	}{{"off", 0, 5}, {"not needed", 6, 5}, {"clipped", 1, 1 * 5 / (5 + 1e-6)}} {
		p := []Param{{"a", make([]float64, 1), []float64{3}}, {"b", make([]float64, 1), []float64{4}}}
		norm, err := Clip(p, c.max)
		if err != nil || norm != 5 {
			t.Fatalf("%s: norm %v, error %v", c.name, norm, err)
		}
		if got := math.Hypot(p[0].Grad[0], p[1].Grad[0]); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: norm afterwards %v, want %v", c.name, got, c.want)
		}
	}
}

func TestStateRoundTrip(t *testing.T) {
	run := func(interrupt bool) float64 {
		a, _ := NewAdam(Config{Type: "AdamW"})
		x := []float64{1}
		for i := range 10 {
			if interrupt && i == 5 {
				state := a.State()
				a, _ = NewAdam(Config{Type: "AdamW"})
				if err := a.SetState(state); err != nil {
					t.Fatal(err)
				}
			}
			if err := a.Step(0.01, []Param{{"x", x, []float64{math.Sin(float64(i))}}}); err != nil {
				t.Fatal(err)
			}
		}
		return x[0]
	}
	if a, b := run(false), run(true); a != b {
		t.Errorf("interrupted %v, uninterrupted %v: want the same bits", b, a)
	}
	a, _ := NewAdam(Config{})
	if err := a.SetState(map[string]Moments{"x": {1, []float64{1}, nil}}); err == nil {
		t.Error("moments of different lengths were accepted")
	}
}

func relative(a, b float64) float64 {
	if a == b {
		return 0
	}
	return math.Abs(a-b) / max(math.Abs(a), math.Abs(b))
}
