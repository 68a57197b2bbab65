package secagg

import "fmt"

const (
	tagSize        = 2 + 32
	MaxConfirmSize = prefixSize + 32 + 2 + MaxMembers*tagSize // bytes
	ComplaintSize  = prefixSize + 2 + 1                       // bytes
)

// Confirm is the body that ends step 2: the sender accepted every dealer of its view and holds the same pair
// secrets.
type Confirm struct {
	Session [32]byte
	From    int
	View    [32]byte // hash of the Keys view and of all Shares bodies the sender accepted
	Tags    []Tag    // one for every other dealer of the view, ascending by To
}

// A Tag proves to member To that the sender holds their pair secret: HMAC-SHA256 over both indices and the view.
type Tag struct {
	To  int
	MAC [32]byte
}

// Encode returns the canonical bytes.
func (c *Confirm) Encode() []byte {
	b := appendPrefix(nil, kindConfirm, c.Session, c.From)
	b = append(b, c.View[:]...)
	b = appendIndex(b, len(c.Tags))
	for i := range c.Tags {
		b = appendIndex(b, c.Tags[i].To)
		b = append(b, c.Tags[i].MAC[:]...)
	}
	return b
}

// DecodeConfirm reads a Confirm body.
func DecodeConfirm(body []byte) (Confirm, error) {
	var c Confirm
	r, sid, from := newReader("confirm", kindConfirm, body)
	c.Session, c.From = sid, from
	r.into(c.View[:])
	n := r.count(tagSize)
	if r.err == nil {
		c.Tags = make([]Tag, n)
	}
	last := -1
	for i := range c.Tags {
		t := &c.Tags[i]
		t.To = r.after(last)
		last = t.To
		if r.err == nil && t.To == from {
			r.fail("tag of member %d for itself", from)
		}
		r.into(t.MAC[:])
	}
	if err := r.done(); err != nil {
		return Confirm{}, err
	}
	return c, nil
}

// A Reason says what is wrong with the accused member's messages.
type Reason uint8

// Reasons of a Complaint.
const (
	BadKeys  Reason = iota + 1 // a public key that is no key, or one key used for both purposes
	BadView                    // Shares made from other Keys than the complainer saw: the accused or the relay split the view
	BadDeal                    // recipients other than the members of the view, or fields of a wrong size
	BadShare                   // a sealed share that does not open, or does not match its published leaf
	BadTag                     // a key confirmation that is missing or wrong
	lastReason
)

var reasonText = [lastReason]string{
	BadKeys: "its public keys are not usable", BadView: "it dealt for other keys than were seen here",
	BadDeal: "it did not deal to exactly the members with keys", BadShare: "its share does not open to what it published",
	BadTag: "its key confirmation does not match",
}

func (r Reason) String() string {
	if r < 1 || r >= lastReason {
		return fmt.Sprintf("reason %d", uint8(r))
	}
	return reasonText[r]
}

// A Complaint is sent instead of Confirm or of a masked input, before anything masked by this member has left.
// It stops the session; the next attempt is made without the accused or without the complainer. It carries no
// secret and is by itself no proof.
type Complaint struct {
	Session [32]byte
	From    int
	Accused int
	Reason  Reason
}

// Error makes a *Complaint the error of the step that found it.
func (c *Complaint) Error() string {
	return fmt.Sprintf("secagg: complaint about member %d: %s: send the complaint and start a new attempt", c.Accused, c.Reason)
}

// Encode returns the canonical bytes.
func (c *Complaint) Encode() []byte {
	b := appendPrefix(make([]byte, 0, ComplaintSize), kindComplaint, c.Session, c.From)
	return append(appendIndex(b, c.Accused), byte(c.Reason))
}

// DecodeComplaint reads a Complaint body.
func DecodeComplaint(body []byte) (Complaint, error) {
	var c Complaint
	r, sid, from := newReader("complaint", kindComplaint, body)
	c.Session, c.From = sid, from
	c.Accused = r.index()
	c.Reason = Reason(r.byte())
	switch {
	case r.err != nil:
	case c.Reason < 1 || c.Reason >= lastReason:
		r.fail("unknown reason %d", c.Reason)
	case c.Accused == from:
		r.fail("member %d complains about itself", from)
	}
	if err := r.done(); err != nil {
		return Complaint{}, err
	}
	return c, nil
}
