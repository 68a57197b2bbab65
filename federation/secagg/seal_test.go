package secagg

import (
	"bytes"
	"crypto/hpke"
	"testing"
)

// unsealSeed is unseal with the key of a seed.
func unsealSeed(seed, info, sealed []byte) ([]byte, error) {
	key, err := sealKey(seed)
	if err != nil {
		return nil, err
	}
	return unseal(key, info, sealed)
}

// TestSealIsStandardHPKE opens with the standard library what seal makes, and the other way round.
func TestSealIsStandardHPKE(t *testing.T) {
	seed, info := fill(make([]byte, 32), 7), []byte("info")
	key, err := sealKey(seed)
	if err != nil {
		t.Fatal(err)
	}
	public := [SealKeySize]byte(key.PublicKey().Bytes())
	plain := fill(make([]byte, sealedPlain), 9)
	sealed, err := seal(&public, info, plain, fill(make([]byte, 64), 3))
	if err != nil || len(sealed) != SealedSize {
		t.Fatalf("%d sealed bytes (%v), want %d", len(sealed), err, SealedSize)
	}
	if got, err := hpke.Open(key, hpke.HKDFSHA256(), hpke.AES256GCM(), info, sealed); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("the standard library opens %x (%v), want %x", got, err, plain)
	}
	theirs, err := hpke.Seal(key.PublicKey(), hpke.HKDFSHA256(), hpke.AES256GCM(), info, plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := unsealSeed(seed, info, theirs); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("opens %x of what the standard library sealed (%v)", got, err)
	}
	for what, try := range map[string]func() ([]byte, error){
		"another info": func() ([]byte, error) { return unsealSeed(seed, []byte("other"), sealed) },
		"another key":  func() ([]byte, error) { return unsealSeed(fill(make([]byte, 32), 8), info, sealed) },
		"a flipped bit": func() ([]byte, error) {
			b := bytes.Clone(sealed)
			b[CipherSize] ^= 1
			return unsealSeed(seed, info, b)
		},
		"nothing": func() ([]byte, error) { return unsealSeed(seed, info, nil) },
	} {
		if got, err := try(); err == nil {
			t.Errorf("with %s it opens to %x", what, got)
		}
	}
}

// TestOpenedSeedOpensNoSealedShare: z of a dropped member is public. What it was sent, and what it sealed itself, must stay
// closed. The control opens both with the secrets that stay private.
func TestOpenedSeedOpensNoSealedShare(t *testing.T) {
	p := newParty(t, testSession(4, 3))
	if err := p.until(atShares); err != nil {
		t.Fatal(err)
	}
	dropped := p.members[2]
	view := p.in.Shares[0].View
	sent := p.in.Shares[0]
	received, info := sent.to(2).Sealed, sealInfo(p.s.ID, view, 0, 2)
	private, _ := maskKeyPair(p.s.ID, 2, dropped.secrets.z)
	for name, seed := range map[string][]byte{"z": dropped.secrets.z[:], "the mask key": private, "b": dropped.secrets.b[:]} {
		if got, err := unsealSeed(seed, info, received); err == nil {
			t.Errorf("%s opens a received share: %x", name, got)
		}
	}
	if _, err := unsealSeed(dropped.secrets.sealSeed[:], info, received); err != nil {
		t.Errorf("control: the seal key does not open a received share: %v", err)
	}
	// What it sealed: someone who holds z and b, and knows the derivations, does not get the randomness.
	again := func(z, b, random [32]byte) []byte {
		m := *dropped
		m.secrets = secrets{z: z, b: b, sealRandom: random}
		dealB, dealZ := deal(m.sid, 2, SecretB, b, p.s.Threshold), deal(m.sid, 2, SecretZ, z, p.s.Threshold)
		key := p.in.Keys[1]
		d, err := m.dealTo(&key, view, &dealB, &dealZ)
		if err != nil {
			t.Fatal(err)
		}
		return d.Sealed
	}
	own, z, b := p.in.Shares[2], dropped.secrets.z, dropped.secrets.b
	published := own.to(1).Sealed
	for name, random := range map[string][32]byte{"z": z, "b": b, "nothing": {}} {
		if bytes.Equal(again(z, b, random)[:CipherSize], published[:CipherSize]) {
			t.Errorf("%s gives the randomness of the shares it sealed", name)
		}
	}
	if !bytes.Equal(again(z, b, dropped.secrets.sealRandom), published) {
		t.Error("control: sealing again does not give the published bytes")
	}
}
