package secagg

import (
	"errors"
	"slices"
	"testing"
)

// TestChunkSums puts a sum together from chunk sums as they travel.
func TestChunkSums(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		probe := session(4, 1)
		chunkLanes := probe.ChunkLanes()
		p := newParty(t, session(4, 2*chunkLanes+3))
		p.leave[1] = atShares
		if err := p.until(atUnmask); err != nil {
			t.Fatal(err)
		}
		o, err := Open(p.s, p.in)
		if err != nil {
			t.Fatal(err)
		}
		var got []uint32
		for c := range p.s.Chunks() {
			inputs := map[int][]byte{}
			for i, m := range p.in.Masked {
				inputs[i] = m.Chunks[c]
			}
			words, err := o.SumChunk(c, inputs)
			if err != nil {
				t.Fatal(err)
			}
			said := NewChunkSum(p.s, 2, c, words)
			heard, err := DecodeChunkSum(said.Encode())
			if err != nil || heard.Fits(p.s) != nil {
				t.Fatalf("chunk %d: %v, %v", c, err, heard.Fits(p.s))
			}
			got = append(got, heard.Words(p.s)...)
		}
		if !slices.Equal(got, p.want()) {
			t.Error("the chunk sums are not those of the members' values")
		}
	})
}

func TestChunkSumFits(t *testing.T) {
	s := testSession(4, ring32.chunkLanes()+3)
	for name, spoil := range map[string]func(*ChunkSum){
		"of another session":       func(c *ChunkSum) { c.Session[0] ^= 1 },
		"by nobody":                func(c *ChunkSum) { c.From = 4 },
		"of a chunk too many":      func(c *ChunkSum) { c.Index = 2 },
		"of another chunk's size":  func(c *ChunkSum) { c.Index = 0 },
		"a word short":             func(c *ChunkSum) { c.Data = c.Data[4:] },
		"of a chunk below nothing": func(c *ChunkSum) { c.Index = -1 },
	} {
		c := NewChunkSum(s, 0, 1, []uint32{1, 2, 3})
		if err := c.Fits(s); err != nil {
			t.Fatalf("the right one: %v", err)
		}
		if spoil(&c); !errors.Is(c.Fits(s), ErrMessage) {
			t.Errorf("a chunk sum %s was taken", name)
		}
	}
}
