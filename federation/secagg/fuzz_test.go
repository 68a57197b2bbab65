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
