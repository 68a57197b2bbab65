package secagg

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"testing"
)

const goldenNarrow = "5e1e28d22cd751227b07d4d09fe4426e137eb611c6cba7bf1868793efd7bbdfb 38.76708628976883 0.8329166666666666 [{a 4000 8192 1} {b 66535 1 3.0517578125e-05}]"

// TestGoldenNarrowMean pins every bit of decoding, on any machine: the certified weights depend on it.
func TestGoldenNarrowMean(t *testing.T) {
	const n = maxBlock + 4999
	q := testNarrow(t, narrowConfig(200, NarrowGroup{"a", 4000, 1, 0.3}, NarrowGroup{"b", n - 4000, 1, 1e-5}))
	sum := make([]uint32, q.Lanes())
	randomWords(sum, fill32(3))
	for k := range n {
		sum[k] = (sum[k]%20000 - 10000) & 0xffff
	}
	copy(sum[n:], []uint32{9876, 12345, 1999})
	mean, err := q.Dequantize(sum, 150)
	if err != nil {
		t.Fatal(err)
	}
	next, err := q.Next(mean)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	for _, v := range mean.Values {
		h.Write(binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
	}
	if got := fmt.Sprintf("%x %v %v %v", h.Sum(nil), mean.Weight, mean.Spread, next); got != goldenNarrow {
		t.Errorf("decoded\n%s, want\n%s", got, goldenNarrow)
	}
}

// TestNextScalesFollowTheMembers: whatever the updates have in common, and however wrong the first scale was, a few rounds
// later Sigma is the root mean square of a member's weighted update with the room that is meant, and nobody is clipped.
func TestNextScalesFollowTheMembers(t *testing.T) {
	const n, members = 4096, 40
	for _, c := range []struct {
		name          string
		common, first float64
	}{
		{"all agree", 1, 1e-3}, {"half in common", 0.5, 30}, {"nothing in common", 0, 1e-4}, {"a first guess far too large", 0.5, 1e4},
	} {
		t.Run(c.name, func(t *testing.T) {
			sizes := [2]float64{0.01, 7}
			clip := 64 * math.Sqrt(n/2) * c.first
			groups := []NarrowGroup{{"a", n / 2, clip, c.first}, {"b", n / 2, clip, c.first}}
			var last NarrowMean
			for range 12 {
				q := testNarrow(t, narrowConfig(200, groups...))
				sum := make([]uint32, q.Lanes())
				for i := range members {
					u, common := normalVector(n, uint64(i+1)), normalVector(n, 999)
					for k := range u {
						u[k] = sizes[2*k/n] * (math.Sqrt(c.common)*common[k] + math.Sqrt(1-c.common)*u[k])
					}
					add16(sum, mustNarrow(t, q, u, 0.5, i).Lanes)
				}
				var err error
				if last, err = q.Dequantize(sum, members); err != nil {
					t.Fatal(err)
				}
				if groups, err = q.Next(last); err != nil {
					t.Fatal(err)
				}
			}
			for k, g := range groups {
				room := g.Sigma / (0.5 * sizes[k])
				if room < 1.2 || room > 3.6 || PowerOfTwo(g.Sigma) != g.Sigma || PowerOfTwo(g.Clip) != g.Clip {
					t.Errorf("group %s: sigma %v for weighted updates of %v", g.Name, g.Sigma, 0.5*sizes[k])
				}
				if norm := sizes[k] * math.Sqrt(n/2); g.Clip < 2*norm || g.Clip > 2*clipRoom*math.Sqrt(members)*norm {
					t.Errorf("group %s: clipped to %v where updates have norm %v", g.Name, g.Clip, norm)
				}
			}
		})
	}
}

func TestNextScalesShrinkSlowly(t *testing.T) {
	q := testNarrow(t, narrowConfig(4, NarrowGroup{"silent", 16, 8, 1}, NarrowGroup{"loud", 16, 8, 1}))
	mean := NarrowMean{Values: make([]float64, 32), Weight: 2, Members: 2, Spread: 1}
	for k := range 16 {
		mean.Values[16+k] = 1e30
	}
	got, err := q.Next(mean)
	if err != nil {
		t.Fatal(err)
	}
	want := []NarrowGroup{{"silent", 16, 2, 0.25}, {"loud", 16, sigmaHigh, sigmaHigh}}
	if got[0] != want[0] || got[1] != want[1] {
		t.Errorf("next %v, want %v", got, want)
	}
	for name, change := range map[string]func(*NarrowMean){
		"another length": func(m *NarrowMean) { m.Values = m.Values[1:] },
		"nobody":         func(m *NarrowMean) { m.Members = 0 },
		"no weight":      func(m *NarrowMean) { m.Weight = 0 },
		"NaN spread":     func(m *NarrowMean) { m.Spread = math.NaN() },
	} {
		m := mean
		change(&m)
		if next, err := q.Next(m); err == nil {
			t.Errorf("%s: gave %v", name, next)
		}
	}
}
