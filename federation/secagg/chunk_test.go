package secagg

import (
	"errors"
	"slices"
	"sync"
	"testing"
)

// TestManyChunks sums vectors of several chunks, whole and chunk by chunk, with chunks arriving in any order.
func TestManyChunks(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		one := session(4, 1)
		p := newParty(t, session(4, 2*one.ChunkLanes()+3))
		p.leave[2] = atShares
		if err := p.until(atUnmask); err != nil {
			t.Fatal(err)
		}
		for i, m := range p.in.Masked {
			body := encoded(m.Header, (*MaskedHeader).Encode)
			h, err := DecodeMaskedHeader(body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := NewMasked(p.s, h)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range []int{1, 2, 0} {
				if got.Complete() {
					t.Error("complete before the last chunk")
				}
				sent := m.Chunk(c)
				chunk, err := DecodeChunk(sent.Encode())
				if err != nil {
					t.Fatal(err)
				}
				if err := got.Add(chunk); err != nil {
					t.Fatal(err)
				}
			}
			if !got.Complete() {
				t.Error("not complete after the last chunk")
			}
			p.in.Masked[i] = got
		}
		whole, err := Sum(p.s, p.in)
		if err != nil || !slices.Equal(whole, p.want()) {
			t.Fatalf("sum of three chunks is wrong (%v)", err)
		}
		o, err := Open(p.s, p.in)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(o.Survivors(), []int{0, 1, 3}) {
			t.Errorf("survivors %v", o.Survivors())
		}
		var wait sync.WaitGroup
		for c := range 3 {
			wait.Go(func() {
				parts := map[int][]byte{}
				for i, m := range p.in.Masked {
					parts[i] = m.Chunks[c]
				}
				part, err := o.SumChunk(c, parts)
				if err != nil || !slices.Equal(part, whole[c*p.s.ChunkLanes():][:len(part)]) {
					t.Errorf("chunk %d differs from the whole sum (%v)", c, err)
				}
				delete(parts, 1)
				if _, err := o.SumChunk(c, parts); !errors.Is(err, ErrMessage) {
					t.Errorf("chunk %d without that of member 1: %v", c, err)
				}
			})
		}
		wait.Wait()
		for _, c := range []int{-1, 3} {
			if _, err := o.SumChunk(c, nil); err == nil {
				t.Errorf("chunk %d was summed", c)
			}
		}
	})
}

func TestChunksOfOthersAreRefused(t *testing.T) {
	overRings(t, func(t *testing.T, session newSession) {
		one := session(3, 1)
		p := newParty(t, session(3, one.ChunkLanes()+1))
		if err := p.until(atMask); err != nil {
			t.Fatal(err)
		}
		m := p.in.Masked[1]
		got, err := NewMasked(p.s, m.Header)
		if err != nil {
			t.Fatal(err)
		}
		other := p.in.Masked[2]
		for name, c := range map[string]Chunk{
			"of another member":       other.Chunk(0),
			"under another index":     {Session: p.s.ID, From: 1, Index: 1, Data: m.Chunks[0]},
			"beyond the last":         {Session: p.s.ID, From: 1, Index: 2, Data: m.Chunks[1]},
			"negative":                {Session: p.s.ID, From: 1, Index: -1, Data: m.Chunks[1]},
			"of another session":      {From: 1, Index: 0, Data: m.Chunks[0]},
			"relabelled by the relay": {Session: p.s.ID, From: 1, Index: 0, Data: other.Chunks[0]},
		} {
			if err := got.Add(c); !errors.Is(err, ErrMessage) {
				t.Errorf("chunk %s: %v, want %v", name, err, ErrMessage)
			}
		}
		for name, change := range map[string]func(*MaskedHeader){
			"another session": func(h *MaskedHeader) { h.Session[0] ^= 1 }, "fewer lanes": func(h *MaskedHeader) { h.Lanes-- },
			"a stranger": func(h *MaskedHeader) { h.From = 3 }, "leaves missing": func(h *MaskedHeader) { h.Leaves = h.Leaves[:1] },
		} {
			h := m.Header
			change(&h)
			if _, err := NewMasked(p.s, h); !errors.Is(err, ErrMessage) {
				t.Errorf("header of %s: %v, want %v", name, err, ErrMessage)
			}
		}
	})
}

func TestRootBindsEverything(t *testing.T) {
	base := MaskedHeader{Session: fill32(1), From: 1, Lanes: 1<<16 + 1, Leaves: [][32]byte{{1}, {2}}}
	seen := map[[32]byte]string{base.Root(): "the same header"}
	for name, h := range map[string]MaskedHeader{
		"session": {Session: fill32(2), From: 1, Lanes: 1<<16 + 1, Leaves: base.Leaves},
		"sender":  {Session: fill32(1), From: 2, Lanes: 1<<16 + 1, Leaves: base.Leaves},
		"lanes":   {Session: fill32(1), From: 1, Lanes: 1<<16 + 2, Leaves: base.Leaves},
		"order":   {Session: fill32(1), From: 1, Lanes: 1<<16 + 1, Leaves: [][32]byte{{2}, {1}}},
		"number":  {Session: fill32(1), From: 1, Lanes: 1<<16 + 1, Leaves: [][32]byte{{1}, {2}, {2}}},
		"node":    {Session: fill32(1), From: 1, Lanes: 1<<16 + 1, Leaves: [][32]byte{merkleRoot(base.Leaves)}},
	} {
		if name == "node" {
			h.Lanes-- // a single leaf stands for one chunk, and the length is in the root
		}
		if other, twice := seen[h.Root()]; twice {
			t.Errorf("another %s gives the root of %s", name, other)
		}
		seen[h.Root()] = name
	}
}
