package secagg

const (
	openedSize    = 2 + 1 + 32 + 32
	MaxUnmaskSize = prefixSize + 2 + MaxMembers*openedSize // bytes
)

// Unmask is the body of step 5: one opened share for every dealer of the view.
type Unmask struct {
	Session [32]byte
	From    int
	Opened  []Opened // ascending by Of: nobody is in it twice, so both shares of one member cannot be in it
}

// A Secret says which of a dealer's two secrets a share belongs to.
type Secret uint8

// The two secrets of a dealer.
const (
	SecretB Secret = 1 // self-mask, opened for survivors
	SecretZ Secret = 2 // pair-mask seed, opened for members that dropped out
)

// Opened is the sender's share of one dealer's secret, with the salt that its published leaf was hashed with.
type Opened struct {
	Of          int
	Secret      Secret
	Share, Salt [32]byte
}

// Encode returns the canonical bytes.
func (u *Unmask) Encode() []byte {
	b := appendPrefix(nil, kindUnmask, u.Session, u.From)
	b = appendIndex(b, len(u.Opened))
	for i := range u.Opened {
		o := &u.Opened[i]
		b = append(appendIndex(b, o.Of), byte(o.Secret))
		b = append(b, o.Share[:]...)
		b = append(b, o.Salt[:]...)
	}
	return b
}

// DecodeUnmask reads an Unmask body.
func DecodeUnmask(body []byte) (Unmask, error) {
	var u Unmask
	r, sid, from := newReader("unmask", kindUnmask, body)
	u.Session, u.From = sid, from
	n := r.count(openedSize)
	if r.err == nil {
		u.Opened = make([]Opened, n)
	}
	last := -1
	for i := range u.Opened {
		o := &u.Opened[i]
		o.Of = r.after(last)
		last = o.Of
		o.Secret = Secret(r.byte())
		if r.err == nil && o.Secret != SecretB && o.Secret != SecretZ {
			r.fail("share of an unknown secret %d", o.Secret)
		}
		r.into(o.Share[:])
		r.into(o.Salt[:])
	}
	if err := r.done(); err != nil {
		return Unmask{}, err
	}
	return u, nil
}
