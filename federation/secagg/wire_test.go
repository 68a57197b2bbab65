package secagg

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func fill(b []byte, with byte) []byte {
	for i := range b {
		b[i] = with + byte(i)
	}
	return b
}

func fill32(with byte) (b [32]byte) { fill(b[:], with); return b }

// A sample is one message of every kind, and how to read it back.
type sample struct {
	name   string
	body   []byte
	golden string // hex; of large bodies "length sha256"
	limit  int    // the documented largest size
	again  func([]byte) ([]byte, error)
}

func samples() []sample {
	k := Keys{Session: fill32(1), From: 2, Commitment: fill32(5)}
	fill(k.MaskKey[:], 3)
	fill(k.SealKey[:], 4)
	s := Shares{Session: fill32(1), From: 1, View: fill32(2), Deals: []Deal{
		{To: 0, LeafB: fill32(3), LeafZ: fill32(4), Sealed: fill(make([]byte, SealedSize), 5)},
		{To: 1, LeafB: fill32(6), LeafZ: fill32(7)},
		{To: 3, LeafB: fill32(8), LeafZ: fill32(9), Sealed: fill(make([]byte, SealedSize), 10), Cipher: fill(make([]byte, CipherSize), 11)},
	}}
	c := Confirm{Session: fill32(1), From: 1, View: fill32(2), Tags: []Tag{{0, fill32(3)}, {2, fill32(4)}}}
	p := Complaint{Session: fill32(1), From: 3, Accused: 4, Reason: BadShare}
	h := MaskedHeader{Session: fill32(1), From: 254, Lanes: 1<<16 + 1, Leaves: [][32]byte{fill32(2), fill32(3)}}
	d := Chunk{Session: fill32(1), From: 2, Index: 1, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8}}
	h16 := MaskedHeader{Session: fill32(1), From: 3, Lanes: 1<<17 + 1, Leaves: [][32]byte{fill32(2), fill32(3)}}
	d16 := Chunk{Session: fill32(1), From: 3, Index: 1, Data: []byte{1, 2}}
	v := Survivors{Session: fill32(1), From: 2, Roster: fill32(2), View: fill32(3), List: []Survivor{{0, fill32(4)}, {2, fill32(5)}}}
	u := Unmask{Session: fill32(1), From: 2, Opened: []Opened{{0, SecretB, fill32(3), fill32(4)}, {1, SecretZ, fill32(5), fill32(6)}}}
	z := ChunkSum{Session: fill32(1), From: 2, Index: 1, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8}}
	return []sample{
		{"keys", k.Encode(), goldenKeys, KeysSize, again(DecodeKeys, (*Keys).Encode)},
		{"shares", s.Encode(), goldenShares, MaxSharesSize, again(DecodeShares, (*Shares).Encode)},
		{"confirm", c.Encode(), goldenConfirm, MaxConfirmSize, again(DecodeConfirm, (*Confirm).Encode)},
		{"complaint", p.Encode(), goldenComplaint, ComplaintSize, again(DecodeComplaint, (*Complaint).Encode)},
		{"masked header", h.Encode(), goldenHeader, MaxMaskedHeaderSize, again(DecodeMaskedHeader, (*MaskedHeader).Encode)},
		{"chunk", d.Encode(), goldenChunk, MaxChunkSize, again(DecodeChunk, (*Chunk).Encode)},
		{"masked header of 16-bit lanes", h16.Encode(), goldenHeader16, MaxMaskedHeaderSize, again(DecodeMaskedHeader, (*MaskedHeader).Encode)},
		{"chunk of 16-bit lanes", d16.Encode(), goldenLane16, MaxChunkSize, again(DecodeChunk, (*Chunk).Encode)},
		{"survivors", v.Encode(), goldenSurvivors, MaxSurvivorsSize, again(DecodeSurvivors, (*Survivors).Encode)},
		{"unmask", u.Encode(), goldenUnmask, MaxUnmaskSize, again(DecodeUnmask, (*Unmask).Encode)},
		{"chunk sum", z.Encode(), goldenChunkSum, MaxChunkSumSize, again(DecodeChunkSum, (*ChunkSum).Encode)},
	}
}

// again decodes and encodes.
func again[M any](decode func([]byte) (M, error), encode func(*M) []byte) func([]byte) ([]byte, error) {
	return func(body []byte) ([]byte, error) {
		m, err := decode(body)
		if err != nil {
			return nil, err
		}
		return encode(&m), nil
	}
}

const (
	goldenKeys      = "2500 bba3f94d89c486540b5258b278524b23baa0fe3adada63721dbec71b5c69e1ce"
	goldenShares    = "3916 ec9c1b920b5614fc8f3e7594bc4a8182546fb0a020104f90d8f962054a65f5e7"
	goldenConfirm   = "01030102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202100020000030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212200020405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
	goldenComplaint = "01040102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200003000404"
	goldenHeader    = "01050102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2000fe0001000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122"
	goldenChunk     = "01060102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200002000000010102030405060708"
	goldenHeader16  = "01050102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2000030002000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122"
	goldenLane16    = "01060102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200003000000010102"
	goldenSurvivors = "01070102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20000202030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122000200000405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223000205060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324"
	goldenUnmask    = "01080102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2000020002000001030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021220405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222300010205060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425"
	goldenChunkSum  = "01090102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f200002000000010102030405060708"
)

func TestGoldenMessages(t *testing.T) {
	for _, s := range samples() {
		got := hex.EncodeToString(s.body)
		if len(s.body) > 1000 {
			got = fmt.Sprintf("%d %x", len(s.body), sha256.Sum256(s.body))
		}
		if got != s.golden {
			t.Errorf("%s is encoded as\n%s, want\n%s", s.name, got, s.golden)
		}
	}
}

func TestDecodersAreStrict(t *testing.T) {
	for _, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			if back, err := s.again(s.body); err != nil || !bytes.Equal(back, s.body) {
				t.Fatalf("does not survive the round trip: %v", err)
			}
			if len(s.body) > s.limit {
				t.Errorf("%d bytes exceed the documented limit of %d", len(s.body), s.limit)
			}
			for n := 0; n < len(s.body); n += 1 + n/50 {
				// a chunk can be shorter, and half the leaves are those of narrower lanes: the session tells
				shorter := strings.HasPrefix(s.name, "chunk") || strings.HasPrefix(s.name, "masked header")
				if back, err := s.again(s.body[:n]); err == nil && (!shorter || len(back) != n) {
					t.Errorf("cut to %d bytes of %d it was accepted", n, len(s.body))
				} else if err != nil && !errors.Is(err, ErrMessage) {
					t.Errorf("cut to %d bytes: %v does not wrap ErrMessage", n, err)
				}
			}
			if _, err := s.again(append(bytes.Clone(s.body), 0)); !errors.Is(err, ErrMessage) {
				t.Errorf("with a byte too many: %v", err)
			}
			for at, what := range []string{"version", "kind"} {
				changed := bytes.Clone(s.body)
				changed[at] ^= 0x40
				if _, err := s.again(changed); err == nil || !strings.Contains(err.Error(), what) {
					t.Errorf("with another %s: %v", what, err)
				}
			}
		})
	}
}

func TestDecodersRefuse(t *testing.T) {
	var c Confirm
	c.Session, c.From = fill32(1), 1
	withTags := func(to ...int) []byte {
		c := c
		for _, i := range to {
			c.Tags = append(c.Tags, Tag{To: i})
		}
		return c.Encode()
	}
	confirm, complaint := again(DecodeConfirm, (*Confirm).Encode), again(DecodeComplaint, (*Complaint).Encode)
	header, unmask := again(DecodeMaskedHeader, (*MaskedHeader).Encode), again(DecodeUnmask, (*Unmask).Encode)
	chunk := again(DecodeChunk, (*Chunk).Encode)
	for _, s := range []struct {
		name  string
		body  []byte
		again func([]byte) ([]byte, error)
		ok    bool
	}{
		{"ascending tags", withTags(0, 2, 254), confirm, true},
		{"descending tags", withTags(2, 0), confirm, false},
		{"a tag twice", withTags(2, 2), confirm, false},
		{"a tag for itself", withTags(0, 1), confirm, false},
		{"member 255", withTags(0, 255), confirm, false},
		{"sender 255", (&Complaint{From: 255, Accused: 1, Reason: BadTag}).Encode(), complaint, false},
		{"no reason", (&Complaint{From: 2, Accused: 1}).Encode(), complaint, false},
		{"reason of the future", (&Complaint{From: 2, Accused: 1, Reason: lastReason}).Encode(), complaint, false},
		{"complaint about itself", (&Complaint{From: 2, Accused: 2, Reason: BadTag}).Encode(), complaint, false},
		{"no lanes", (&MaskedHeader{}).Encode(), header, false},
		{"one lane", (&MaskedHeader{Lanes: 1, Leaves: make([][32]byte, 1)}).Encode(), header, true},
		{"too many lanes", (&MaskedHeader{Lanes: MaxLanes + 1, Leaves: make([][32]byte, maxChunks+1)}).Encode(), header, false},
		{"leaves of 32-bit lanes", (&MaskedHeader{Lanes: 1<<18 + 1, Leaves: make([][32]byte, 5)}).Encode(), header, true},
		{"leaves of 16-bit lanes", (&MaskedHeader{Lanes: 1<<18 + 1, Leaves: make([][32]byte, 3)}).Encode(), header, true},
		{"leaves of neither", (&MaskedHeader{Lanes: 1<<18 + 1, Leaves: make([][32]byte, 4)}).Encode(), header, false},
		{"a leaf too few", (&MaskedHeader{Lanes: 1<<18 + 1, Leaves: make([][32]byte, 2)}).Encode(), header, false},
		{"unknown secret", (&Unmask{Opened: []Opened{{Of: 1, Secret: 3}}}).Encode(), unmask, false},
		{"both shares of one member", (&Unmask{Opened: []Opened{{Of: 1, Secret: SecretB}, {Of: 1, Secret: SecretZ}}}).Encode(), unmask, false},
		{"empty chunk", (&Chunk{}).Encode(), chunk, false},
		{"odd chunk", (&Chunk{Data: make([]byte, 5)}).Encode(), chunk, false},
		{"chunk of one 16-bit lane", (&Chunk{Data: make([]byte, 2)}).Encode(), chunk, true},
		{"chunk too long", (&Chunk{Data: make([]byte, ChunkSize+4)}).Encode(), chunk, false},
		{"chunk beyond the last", (&Chunk{Index: maxChunks, Data: make([]byte, 4)}).Encode(), chunk, false},
		{"list longer than the body", append(appendPrefix(nil, kindUnmask, fill32(1), 0), 0, 255), unmask, false},
		{"list of 65535", append(appendPrefix(nil, kindUnmask, fill32(1), 0), 255, 255), unmask, false},
	} {
		if _, err := s.again(s.body); (err == nil) != s.ok {
			t.Errorf("%s: %v", s.name, err)
		}
	}
}

// TestDocumentedSizes compares the limits in the package comment with the largest messages.
func TestDocumentedSizes(t *testing.T) {
	full := Shares{From: 0}
	for i := range MaxMembers {
		d := Deal{To: i, Sealed: make([]byte, SealedSize), Cipher: make([]byte, CipherSize)}
		if i == 0 {
			d.Sealed, d.Cipher = nil, nil
		}
		full.Deals = append(full.Deals, d)
	}
	if got := len(full.Encode()); got > MaxSharesSize {
		t.Errorf("%d bytes of shares, limit %d", got, MaxSharesSize)
	}
	if _, err := DecodeShares(full.Encode()); err != nil {
		t.Error(err)
	}
	big := MaskedHeader{Lanes: MaxLanes, Leaves: make([][32]byte, maxChunks)}
	if got := len(big.Encode()); got != MaxMaskedHeaderSize {
		t.Errorf("largest masked header has %d bytes, limit %d", got, MaxMaskedHeaderSize)
	}
}
