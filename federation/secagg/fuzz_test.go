package secagg

import (
	"bytes"
	"testing"
)

// fuzz checks that a decoder never panics and accepts only what encodes back to the same bytes.
func fuzz[M any](f *testing.F, decode func([]byte) (M, error), encode func(*M) []byte) {
	f.Helper()
	for _, s := range samples() {
		f.Add(s.body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := decode(body)
		if err != nil {
			return
		}
		if back := encode(&m); !bytes.Equal(back, body) {
			t.Errorf("two encodings of one message:\n%x\n%x", body, back)
		}
	})
}

func FuzzKeys(f *testing.F)         { fuzz(f, DecodeKeys, (*Keys).Encode) }
func FuzzShares(f *testing.F)       { fuzz(f, DecodeShares, (*Shares).Encode) }
func FuzzConfirm(f *testing.F)      { fuzz(f, DecodeConfirm, (*Confirm).Encode) }
func FuzzComplaint(f *testing.F)    { fuzz(f, DecodeComplaint, (*Complaint).Encode) }
func FuzzMaskedHeader(f *testing.F) { fuzz(f, DecodeMaskedHeader, (*MaskedHeader).Encode) }
func FuzzChunk(f *testing.F)        { fuzz(f, DecodeChunk, (*Chunk).Encode) }
func FuzzSurvivors(f *testing.F)    { fuzz(f, DecodeSurvivors, (*Survivors).Encode) }
func FuzzUnmask(f *testing.F)       { fuzz(f, DecodeUnmask, (*Unmask).Encode) }
func FuzzChunkSum(f *testing.F)     { fuzz(f, DecodeChunkSum, (*ChunkSum).Encode) }

// FuzzMasked collects a hostile header and chunk in a session of either ring: what is kept has the size that the session
// gives it.
func FuzzMasked(f *testing.F) {
	for _, bits := range []int{32, 16} {
		p := newParty(f, inBits(testSession(2, 9), bits))
		if err := p.until(atMask); err != nil {
			f.Fatal(err)
		}
		m := p.in.Masked[0]
		f.Add(m.Header.Encode(), encoded(m.Chunk(0), (*Chunk).Encode), bits == 16, 9)
	}
	f.Fuzz(func(t *testing.T, header, chunk []byte, narrow bool, lanes int) {
		s := testSession(2, max(1, min(lanes, MaxLanes)))
		if narrow {
			s.Bits = 16
		}
		h, err1 := DecodeMaskedHeader(header)
		c, err2 := DecodeChunk(chunk)
		if err1 != nil || err2 != nil {
			return
		}
		m, err := NewMasked(s, h)
		if err != nil || m.Add(c) != nil {
			return
		}
		if want := s.ring().chunkBytes(s.Lanes, c.Index); len(m.Chunks[c.Index]) != want {
			t.Errorf("chunk %d of %d bytes is kept, want %d", c.Index, len(m.Chunks[c.Index]), want)
		}
	})
}

// FuzzNarrow checks that no sum makes Dequantize panic, or give a mean beyond what so many members can hold.
func FuzzNarrow(f *testing.F) {
	f.Add(make([]byte, 2*(20+NarrowExtra)), 3)
	f.Fuzz(func(t *testing.T, data []byte, members int) {
		q := testNarrow(t, narrowConfig(200, NarrowGroup{"a", 17, 1, 0.5}, NarrowGroup{"b", 3, 1, 1e9}))
		lanes := make([]uint32, len(data)/2)
		ring16.get(lanes, data)
		mean, err := q.Dequantize(lanes, members)
		if err != nil {
			return
		}
		if mean.Weight <= 0 || mean.Weight > float64(members) || mean.Spread > digit*spreadUnit {
			t.Errorf("%d members have weight %v and spread %v", members, mean.Weight, mean.Spread)
		}
		if _, err := q.Next(mean); err != nil {
			t.Error(err)
		}
	})
}

// FuzzWide checks that no sum makes Decode panic.
func FuzzWide(f *testing.F) {
	f.Add(make([]byte, 4*WideLanes), 5)
	f.Fuzz(func(t *testing.T, data []byte, peers int) {
		w, err := NewWide(peers)
		if err != nil {
			return
		}
		lanes := make([]uint32, len(data)/4)
		for k := range lanes {
			lanes[k] = uint32(data[4*k]) | uint32(data[4*k+1])<<8 | uint32(data[4*k+2])<<16
		}
		if values, err := w.Decode(lanes); err == nil && len(values) != len(lanes)/WideLanes {
			t.Errorf("%d values of %d lanes", len(values), len(lanes))
		}
	})
}
