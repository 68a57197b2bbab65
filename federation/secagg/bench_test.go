package secagg

import (
	"fmt"
	"testing"
)

const mebi = 1 << 20

// BenchmarkMask is one member's masked input of 1 Mi parameters. CPU time is ns/op times the processors in use; run with
// -cpu 1 to see it.
func BenchmarkMask(b *testing.B) {
	for _, bits := range []int{32, 16} {
		for _, n := range []int{20, 100} {
			b.Run(fmt.Sprintf("bits=%d/n=%d", bits, n), func(b *testing.B) {
				pads, values := benchPads(n-1, n/2), make([]uint32, mebi)
				s := inBits(testSession(n, mebi), bits)
				b.SetBytes(int64(bits / 8 * n * mebi)) // of masks
				for b.Loop() {
					out := Masked{Header: MaskedHeader{Session: s.ID, Lanes: mebi, Leaves: make([][32]byte, s.Chunks())}, Chunks: make([][]byte, s.Chunks()), ring: s.ring()}
					out.fill(values, pads)
				}
			})
		}
	}
}

// benchPads returns n pair masks and a self-mask.
func benchPads(n, negative int) []pad {
	masks := make([]mask, n+1)
	for k := range masks {
		masks[k] = mask{key: testRoot(k), negative: k < negative}
	}
	return newPads(masks)
}

// BenchmarkUnmask is the share of one of the survivors in unmasking 1 Mi parameters when a third of n members dropped out after
// Confirm and all chunks are dealt out evenly: hashing and adding up the inputs, and taking off the masks.
func BenchmarkUnmask(b *testing.B) {
	for _, bits := range []int{32, 16} {
		for _, n := range []int{20, 200} {
			b.Run(fmt.Sprintf("bits=%d/n=%d", bits, n), func(b *testing.B) {
				alive := Quorum(n)
				o, chunk := benchOpening(inBits(testSession(n, ChunkSize*8/bits), bits), alive)
				b.SetBytes(int64(len(o.parts[0].pads)) * ChunkSize)
				for b.Loop() {
					if _, err := o.SumChunk(0, chunk); err != nil {
						b.Fatal(err)
					}
				}
				chunks := float64(mebi) / float64(o.lanes) / float64(alive) // of a survivor, in 1 Mi parameters
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*chunks, "s/survivor/Mi")
			})
		}
	}
}

// benchOpening is what Open makes of a session of one chunk, with seeds that nobody dealt.
func benchOpening(s Session, alive int) (*Opening, map[int][]byte) {
	o := &Opening{ring: s.ring(), lanes: s.Lanes, headers: map[int]MaskedHeader{}}
	o.parts = []part{{pads: benchPads(alive+(len(s.Roster)-alive)*alive-1, alive)}}
	chunk := map[int][]byte{}
	for i := range alive {
		chunk[i] = make([]byte, ChunkSize)
		o.survivors = append(o.survivors, i)
		o.parts[0].survivors = o.survivors
		o.headers[i] = MaskedHeader{Session: s.ID, From: i, Lanes: s.Lanes, Leaves: [][32]byte{chunkLeaf(s.ID, i, 0, chunk[i])}}
	}
	return o, chunk
}

// BenchmarkOpen checks a transcript and rebuilds the seeds, a third of the members having dropped out. Everyone does it once a
// session, whatever its length.
func BenchmarkOpen(b *testing.B) {
	for _, n := range []int{5, 20, 60} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			p := newParty(b, testSession(n, 1))
			for i := range n - Quorum(n) {
				p.leave[i] = atConfirm
			}
			if err := p.until(atUnmask); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := Open(p.s, p.in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkKeySteps is the cost of each step of key agreement to one member.
func BenchmarkKeySteps(b *testing.B) {
	for _, n := range []int{5, 20, 200} {
		p := newParty(b, testSession(n, 1))
		if err := p.runKeys(); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("n=%d/Keys", n), func(b *testing.B) {
			for b.Loop() {
				benchMember(b, p, atKeys)
			}
		})
		b.Run(fmt.Sprintf("n=%d/Shares", n), func(b *testing.B) {
			for b.Loop() {
				benchMember(b, p, atShares)
			}
		})
		if err := p.runShares(); err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("n=%d/Confirm", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				m := benchMember(b, p, atShares)
				b.StartTimer()
				if _, err := m.Confirm(p.in.Shares); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchMember takes a member in the middle of the roster through the first steps.
func benchMember(b *testing.B, p *party, last stage) *Member {
	b.Helper()
	self := len(p.members) / 2
	m, err := NewMember(p.s, self, testRoot(self))
	if err == nil && last >= atShares {
		_, err = m.Shares(p.in.Keys)
	}
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func benchNarrow(b *testing.B) *Narrow {
	b.Helper()
	var groups []NarrowGroup // as many as a model has tensors
	for k := range 64 {
		groups = append(groups, NarrowGroup{fmt.Sprint(k), mebi / 64, 1e9, 1})
	}
	q, err := NewNarrow(narrowConfig(200, groups...))
	if err != nil {
		b.Fatal(err)
	}
	return q
}

// BenchmarkNarrowQuantize is everything a member does with 1 Mi parameters: two rotations, rounding, the residual.
func BenchmarkNarrowQuantize(b *testing.B) {
	q, u := benchNarrow(b), normalVector(mebi, 1)
	before := &Residual{Values: normalVector(mebi, 2)}
	b.SetBytes(8 * mebi)
	for b.Loop() {
		if _, err := q.Quantize(u, 0.5, Version{}, before, testRoot(1)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNarrowDequantize is what everyone does with the sum.
func BenchmarkNarrowDequantize(b *testing.B) {
	q := benchNarrow(b)
	out, err := q.Quantize(normalVector(mebi, 1), 0.5, Version{}, nil, testRoot(1))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(8 * mebi)
	for b.Loop() {
		if _, err := q.Dequantize(out.Lanes, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkQuantize(b *testing.B) {
	q := testQuantizer(b, 200, 16, 8, Group{"g", mebi, 1e9, 4})
	u := normalVector(mebi, 1)
	b.SetBytes(8 * mebi)
	for b.Loop() {
		if _, _, err := q.Quantize(u, 0.5, Version{}, nil, testRoot(1)); err != nil {
			b.Fatal(err)
		}
	}
}
