package secagg

import "fmt"

// An Upload is how many bytes of bodies one member sends in a session, by kind. Envelopes and signatures come on top.
type Upload struct {
	Keys, Shares, Confirm int
	Header, Chunks        int // of the masked input; each chunk with its prefix
	Statement, Unmask     int
}

// Upload returns what the member with an index sends in a session in which everyone deals, and that many members are in
// the sum. Members early in the roster send more: the earlier one of a pair sends the pair's ciphertext.
func (s *Session) Upload(self, survivors int) (Upload, error) {
	if err := s.Validate(); err != nil {
		return Upload{}, err
	}
	n := len(s.Roster)
	if self < 0 || self >= n || survivors < 1 || survivors > n {
		return Upload{}, fmt.Errorf("secagg upload: member %d with %d survivors in a session of %d members", self, survivors, n)
	}
	const list = 2 // the length of a list
	return Upload{
		Keys:      KeysSize,
		Shares:    prefixSize + 32 + list + n*dealMin + (n-1)*SealedSize + (n-1-self)*CipherSize,
		Confirm:   prefixSize + 32 + list + (n-1)*tagSize,
		Header:    prefixSize + 4 + s.Chunks()*32,
		Chunks:    s.Chunks()*(prefixSize+4) + s.Lanes*int(s.ring()),
		Statement: prefixSize + 64 + list + survivors*survivorSize,
		Unmask:    prefixSize + list + n*openedSize,
	}, nil
}

// Total is the sum over all kinds.
func (u Upload) Total() int {
	return u.Keys + u.Shares + u.Confirm + u.Header + u.Chunks + u.Statement + u.Unmask
}
