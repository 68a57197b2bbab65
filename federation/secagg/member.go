package secagg

import "errors"

// A Member is one participant's side of one session. Its methods are the steps, in order: Keys, Shares, Confirm,
// Mask, Survive, Unmask. Each message map holds authenticated bodies by the index of the member that signed them;
// entries of another session, of an index outside the roster, or whose From differs from the key are ignored as
// if they had not arrived. A Member is not safe for concurrent use.
type Member struct{}

var errStub = errors.New("secagg: not built yet")

// NewMember starts a session. self is the member's own index; root is 32 fresh secret bytes, from which every
// secret of the session is derived: the same root gives the same messages again.
func NewMember(s Session, self int, root [32]byte) (*Member, error) { return nil, errStub }

// Keys returns the public keys; calling it again gives the same.
func (m *Member) Keys() Keys { return Keys{} }

// Shares deals the secrets to every member in keys, which must contain the own Keys. Once only.
// Errors: *Complaint for unusable keys, ErrThreshold, ErrView when the own Keys were altered, ErrSpent.
func (m *Member) Shares(keys map[int]Keys) (Shares, error) { return Shares{}, errStub }

// Confirm opens what every dealer in shares sent, which must contain the own Shares. Once only.
// Errors: *Complaint naming the first bad dealer, ErrThreshold, ErrView.
func (m *Member) Confirm(shares map[int]Shares) (Confirm, error) { return Confirm{}, errStub }

// Mask hides values, of Session.Lanes words, under the pair masks with every dealer of the view and the
// self-mask. confirms are those of the others; own is implied. Once only: a second call fails whatever the values.
// Confirms of another view do not count. Errors: *Complaint for a wrong tag, ErrThreshold, ErrSpent.
func (m *Member) Mask(values []uint32, confirms map[int]Confirm) (Masked, error) {
	return Masked{}, errStub
}

// ResumeMasked takes the place of Mask after a restart when the masked input with this root was made before:
// the member can go on to Survive and Unmask but never mask again under this session.
func (m *Member) ResumeMasked(root [32]byte, confirms map[int]Confirm) error { return errStub }

// Survive makes the statement to be signed. survivors are distinct indices (any order) with the roots of their
// masked inputs; all of them must have confirmed, and this member is among them. Calling it again with the same
// survivors and roots returns the same statement; with others, ErrSpent.
func (m *Member) Survive(survivors []int, roots map[int][32]byte) (Survivors, error) {
	return Survivors{}, errStub
}

// Unmask opens the shares once at least Threshold survivors (own included) have stated the same as this member.
// Once only; received shares are wiped. Errors: ErrThreshold, ErrSpent.
func (m *Member) Unmask(statements map[int]Survivors) (Unmask, error) { return Unmask{}, errStub }

// Erase wipes all secrets; every later step returns ErrErased.
func (m *Member) Erase() {}

// String hides everything but the index.
func (m *Member) String() string { return "secagg.Member" }
