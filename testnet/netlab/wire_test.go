package netlab

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// through sends packets of 1000 bytes at a pace over a wire, and returns when each arrived; -1 for those that did not.
func through(l Link, n int, every time.Duration) []time.Duration {
	start, out := time.Now(), slices.Repeat([]time.Duration{-1}, n)
	w := newWire(1, 1, func(p packet) { out[int(p[0])<<8|int(p[1])] = time.Since(start) })
	w.set(l.Loss, l.Delay, l.Up, l.Cut)
	go w.run()
	for i := range n {
		p := make(packet, 1000)
		p[0], p[1] = byte(i>>8), byte(i)
		w.send(p, time.Now())
		time.Sleep(every)
	}
	time.Sleep(10 * time.Second)
	close(w.done)
	synctest.Wait()
	return out
}

func TestWire(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		name  string
		link  Link
		every time.Duration
		want  []time.Duration
	}{
		{"perfect", Link{}, ms, []time.Duration{0, ms, 2 * ms}},
		{"late, in order", Link{Delay: 50 * ms}, ms, []time.Duration{50 * ms, 51 * ms, 52 * ms}},
		{"slow", Link{Up: 10_000}, ms, []time.Duration{100 * ms, 200 * ms, 300 * ms}},
		{"idle before", Link{Up: 10_000}, 500 * ms, []time.Duration{100 * ms, 600 * ms, 1100 * ms}},
		{"full", Link{Up: 2000}, ms, []time.Duration{500 * ms, -1, -1}},
		{"cut", Link{Cut: true}, ms, []time.Duration{-1, -1, -1}},
		{"all lost", Link{Loss: 1}, ms, []time.Duration{-1, -1, -1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := through(c.link, 3, c.every); !slices.Equal(got, c.want) {
					t.Errorf("arrived after %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestLossIsRandomAndRepeatable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := through(Link{Loss: 0.05}, 2000, time.Millisecond)
		lost := 0
		for _, at := range first {
			if at < 0 {
				lost++
			}
		}
		// 100 expected, standard deviation 9.7.
		if lost < 60 || lost > 140 {
			t.Errorf("%d of 2000 packets were lost, want about 100", lost)
		}
		if second := through(Link{Loss: 0.05}, 2000, time.Millisecond); !slices.Equal(first, second) {
			t.Error("the same seed lost other packets")
		}
	})
}
