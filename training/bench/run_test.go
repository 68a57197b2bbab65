package bench

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/training/dpa2"
)

// tiny is a model and a system that take no time.
func tiny(t *testing.T) (*Subject, *System) {
	t.Helper()
	c := dpa2.DefaultConfig()
	c.TypeMap = []string{"O", "H"}
	r, p := &c.Descriptor.Repinit, &c.Descriptor.Repformer
	r.RCut, r.RCutSmooth, r.NSel, r.Neuron, r.AxisNeuron = 4, 0.5, dpa2.Sel{Count: 40}, []int{4, 8}, 2
	p.RCut, p.RCutSmooth, p.NSel, p.NLayers, p.G1Dim, p.G2Dim, p.AxisNeuron = 3, 2, dpa2.Sel{Count: 30}, 2, 8, 4, 2
	c.Fitting.Neuron = []int{8, 8}
	m, err := dpa2.New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	f := waterLattice(2)
	makeLabels(&f)
	return &Subject{"tiny", m}, &System{"water24", f}
}

// TestReports measures a step and a prediction, and holds what follows from the measured numbers against its definition.
func TestReports(t *testing.T) {
	subject, system := tiny(t)
	for _, c := range []struct {
		what    string
		measure func(context.Context, *Subject, *System, Options) (*Report, error)
		o       Options
	}{
		{"step", Step, Options{Precision: dpa2.Float32, Threads: 1, Runs: 3, Profile: true}},
		{"eval", Eval, Options{Precision: dpa2.Float64, Threads: 2, Runs: 2, Profile: true}},
	} {
		t.Run(c.what, func(t *testing.T) {
			r, err := c.measure(context.Background(), subject, system, c.o)
			if err != nil {
				t.Fatal(err)
			}
			if r.What != c.what || r.Model != "tiny" || r.System != "water24" || r.Atoms != 24 || r.Times.Runs != c.o.Runs {
				t.Errorf("got %s of %s on %s, %d atoms, %d runs", r.What, r.Model, r.System, r.Atoms, r.Times.Runs)
			}
			if r.Precision != c.o.Precision || r.Threads != c.o.Threads || r.Parameters != subject.Model.Config.NumParameters() {
				t.Errorf("got %s, %d threads, %d parameters", r.Precision, r.Threads, r.Parameters)
			}
			if r.ProductFLOP <= 0 || r.FLOP <= r.ProductFLOP || r.Memory.Arena <= 0 || r.Neighbors <= 0 {
				t.Errorf("got %d FLOP, %d of products, arena %d bytes, %d neighbours", r.FLOP, r.ProductFLOP, r.Memory.Arena, r.Neighbors)
			}
			near(t, "atoms/s", r.AtomsPerS, 24/r.Times.Median)
			near(t, "µs/atom", r.MicrosAtom, 1e6*r.Times.Median/24)
			near(t, "GFLOP/s", r.GFLOPS, float64(r.FLOP)/r.Times.Median/1e9)
			near(t, "fraction of peak", r.Fraction, float64(r.ProductFLOP)/r.Times.Median/1e9/r.Peak.GFLOPS)
			near(t, "arena per atom", r.Memory.ArenaPerAtom, float64(r.Memory.Arena)/24)
			checkProfile(t, r)
		})
	}
}

// checkProfile requires that nodes and kinds add up to the whole.
func checkProfile(t *testing.T, r *Report) {
	t.Helper()
	var nodes, kinds, share float64
	var nodeFLOP, kindFLOP, again int64
	for k, n := range r.Nodes {
		nodes += n.Seconds
		nodeFLOP += n.FLOP
		if n.Again {
			again += n.FLOP
		}
		share += n.Share
		if k > 0 && n.Seconds > r.Nodes[k-1].Seconds {
			t.Errorf("node %d is longer than the one before", k)
		}
	}
	count := 0
	for _, k := range r.Kinds {
		kinds += k.Seconds
		kindFLOP += k.FLOP
		count += k.Nodes
	}
	near(t, "sum of shares", share, 1)
	near(t, "time of kinds", kinds, nodes)
	if nodeFLOP-again != r.FLOP || kindFLOP != nodeFLOP || again == 0 || count != len(r.Nodes) {
		t.Errorf("got %d FLOP of nodes, %d of kinds, %d nodes in kinds; want %d and %d computed again, and %d", nodeFLOP, kindFLOP, count, r.FLOP, again, len(r.Nodes))
	}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*math.Abs(want)) {
		t.Errorf("%s: got %g, want %g", what, got, want)
	}
}

func TestRunRefuses(t *testing.T) {
	subject, system := tiny(t)
	harmed := func(harm func(*System)) *System {
		s := *system
		s.Frame.Positions = append([]float64(nil), s.Frame.Positions...)
		s.Frame.Species = append([]string(nil), s.Frame.Species...)
		harm(&s)
		return &s
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	huge := 1e300
	for _, c := range []struct {
		name   string
		ctx    context.Context
		system *System
		o      Options
		want   string
	}{
		{"options", context.Background(), system, Options{Runs: -1}, "runs is -1"},
		{"element", context.Background(), harmed(func(s *System) { s.Frame.Species[3] = "Xe" }), Options{}, `system "water24": `},
		{"interrupted", stopped, system, Options{}, "interrupted"},
		{"infinite loss", context.Background(), harmed(func(s *System) { s.Frame.Energy = &huge }), Options{}, ErrNotFinite.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Step(c.ctx, subject, c.system, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
		})
	}
	far := harmed(func(s *System) { s.Frame.Cell = nil; s.Frame.Positions[0] = math.NaN() })
	if _, err := Eval(context.Background(), subject, far, Options{}); !errors.Is(err, dpa2.ErrFrame) {
		t.Errorf("got error %v, want one about the frame", err)
	}
}

func TestPrint(t *testing.T) {
	r := &Report{
		What: "step", Model: "m", Parameters: 7, System: "s", Atoms: 10, Neighbors: 25, Precision: dpa2.Float32, Threads: 2,
		Times: Times{4, 0.002, 0.001, 0.004}, FLOP: 6e8, ProductFLOP: 4e8, Peak: Peak{1000, 20},
		Memory: Memory{Process: 5e6, Arena: 2e6}, Machine: Machine{"cpu", 2, "avx2", true, "go1", "linux/amd64"},
		Nodes: []Node{{3, "Add+Tanh edge x 5", 9, 5, false, Load{Seconds: 0.001, Share: 1, FLOP: 2e6, Bytes: 3e6}}},
		Kinds: []Kind{{"Elementwise", 1, Load{Seconds: 0.001, Share: 1}}},
	}
	r.derive()
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"step of model m (7 parameters) on s", "10, with 2.5 neighbours each", "median 2.000 ms, min 1.000 ms, max 4.000 ms of 4 runs after 2",
		"5000 atoms/s, 200.00 µs/atom", "0.600 GFLOP, of which matrix products 0.400", "300.00 GFLOP/s, of which matrix products 200.00",
		"20.0 % (matrix products only)", "process 5.0 MB, 500.0 kB/atom; of these arena 2.0 MB, 200.0 kB/atom", "cpu, 2 cores, kernels avx2, compiled formulas, go1 linux/amd64",
		"Elementwise (1)", "9 x 5 Add+Tanh edge x 5", "The longest 1 of 1 nodes",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, &text)
		}
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

// failing is a writer whose disk is full.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestPrintFails(t *testing.T) {
	if (&Report{}).Print(failing{}) == nil || (&GEMMReport{}).Print(failing{}) == nil {
		t.Error("a table that could not be written is no error")
	}
}
