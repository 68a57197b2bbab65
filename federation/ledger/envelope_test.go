package ledger

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func testEnvelope() *Envelope {
	e := &Envelope{Type: "keys", Round: 7, Attempt: 2, Session: [32]byte{1, 2, 3}, Seq: 5, Body: []byte("body")}
	e.SignEnvelope(testKey(0))
	return e
}

func TestEnvelopeGolden(t *testing.T) {
	const want = "0b416997e67ce2f219ba66f1c6537167d11aeeead74c299ec5c7cb893c833cf2"
	digest := testEnvelope().Digest()
	if got := hex.EncodeToString(digest[:]); got != want {
		t.Errorf("signed digest = %s, want %s", got, want)
	}
}

// TestEnvelopeCoversEveryByte flips each byte: a wrong signature, a malformed envelope, never another message.
func TestEnvelopeCoversEveryByte(t *testing.T) {
	data := testEnvelope().Encode()
	got, err := DecodeEnvelope(data)
	if err != nil || !bytes.Equal(got.Encode(), data) {
		t.Fatalf("round trip: %+v, %v", got, err)
	}
	for i := range data {
		other := bytes.Clone(data)
		other[i] ^= 0x21
		if _, err := DecodeEnvelope(other); err == nil {
			t.Errorf("byte %d flipped: accepted", i)
		}
	}
	for n := range data {
		if _, err := DecodeEnvelope(data[:n]); err == nil {
			t.Errorf("cut to %d bytes: accepted", n)
		}
	}
	if id, err := PeekSender(data); err != nil || id != got.From {
		t.Errorf("PeekSender = %s, %v; want %s", id, err, got.From)
	}
}

func TestEquivocation(t *testing.T) {
	a, b := testEnvelope(), testEnvelope()
	b.Body = []byte("another")
	b.SignEnvelope(testKey(0))
	if err := (Equivocation{a, b}).Verify(); err != nil {
		t.Errorf("two messages for one place: %v", err)
	}
	if err := (Equivocation{a, a}).Verify(); err == nil {
		t.Error("the same message twice is no proof, yet it was accepted")
	}
	c := testEnvelope()
	c.Body, c.Seq = []byte("another"), 6
	c.SignEnvelope(testKey(0))
	if err := (Equivocation{a, c}).Verify(); err == nil {
		t.Error("messages for two places are no proof, yet they were accepted")
	}
	b.Sig[0] ^= 1
	if err := (Equivocation{a, b}).Verify(); err == nil {
		t.Error("a forged message is no proof, yet it was accepted")
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	f.Add(testEnvelope().Encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = PeekSender(b)
		if e, err := DecodeEnvelope(b); err == nil && !bytes.Equal(e.Encode(), b) {
			t.Error("an envelope has two encodings")
		}
	})
}
