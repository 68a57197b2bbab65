package secagg

import (
	"fmt"
	"testing"
)

// TestUploadIsWhatIsSent compares with the lengths of all bodies of whole sessions.
func TestUploadIsWhatIsSent(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		for _, c := range []struct{ n, lanes, dropped int }{{2, 1, 0}, {5, 1000, 0}, {7, 3, 2}, {4, 1<<17 + 1, 1}} {
			p := newParty(t, session(c.n, c.lanes))
			for i := range c.dropped {
				p.leave[i] = atConfirm
			}
			if err := p.until(atUnmask); err != nil {
				t.Fatal(err)
			}
			for i := c.dropped; i < c.n; i++ {
				m := p.in.Masked[i]
				want := Upload{
					Keys: len(encoded(p.in.Keys[i], (*Keys).Encode)), Shares: len(encoded(p.in.Shares[i], (*Shares).Encode)),
					Confirm: len(encoded(p.confirms[i], (*Confirm).Encode)), Header: len(m.Header.Encode()),
					Statement: len(encoded(p.in.Statements[i], (*Survivors).Encode)), Unmask: len(encoded(p.in.Unmasks[i], (*Unmask).Encode)),
				}
				for k := range m.Chunks {
					want.Chunks += len(encoded(m.Chunk(k), (*Chunk).Encode))
				}
				got, err := p.s.Upload(i, c.n-c.dropped)
				if err != nil || got != want {
					t.Errorf("%+v: member %d sends %+v (%v), want %+v", c, i, got, err, want)
				}
				total := want.Keys + want.Shares + want.Confirm + want.Header + want.Chunks + want.Statement + want.Unmask
				if got.Total() != total {
					t.Errorf("%+v: total %d, want %d", c, got.Total(), total)
				}
			}
		}
	})
}

func TestUploadRefuses(t *testing.T) {
	s := testSession(5, 10)
	for _, c := range [][2]int{{-1, 5}, {5, 5}, {0, 0}, {0, 6}} {
		if got, err := s.Upload(c[0], c[1]); err == nil {
			t.Errorf("member %d with %d survivors: %+v", c[0], c[1], got)
		}
	}
	s.Bits = 7
	if got, err := s.Upload(0, 5); err == nil {
		t.Errorf("a session of 7 bits: %+v", got)
	}
}

// BenchmarkUpload reports bytes per parameter that the first, and so the most burdened, member of a roster sends.
func BenchmarkUpload(b *testing.B) {
	for _, bits := range []int{32, 16} {
		for _, n := range []int{20, 100, 200} {
			b.Run(fmt.Sprintf("bits=%d/n=%d", bits, n), func(b *testing.B) {
				s := inBits(testSession(n, mebi), bits)
				var u Upload
				for b.Loop() {
					var err error
					if u, err = s.Upload(0, n); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(u.Total())/mebi, "B/parameter")
				b.ReportMetric(float64(u.Total()-u.Chunks)/1024, "KiB-beside-chunks")
			})
		}
	}
}
