package secagg

import (
	"encoding/binary"
	"fmt"
)

// Kinds of message, the second byte of every body.
const (
	kindKeys byte = iota + 1
	kindShares
	kindConfirm
	kindComplaint
	kindMasked
	kindChunk
	kindSurvivors
	kindUnmask
	kindChunkSum
)

const (
	wireVersion = 1
	prefixSize  = 1 + 1 + 32 + 2 // version, kind, session id, sender
)

func appendPrefix(b []byte, kind byte, sid [32]byte, from int) []byte {
	b = append(b, wireVersion, kind)
	b = append(b, sid[:]...)
	return appendIndex(b, from)
}

func appendIndex(b []byte, i int) []byte { return binary.BigEndian.AppendUint16(b, uint16(i)) }

// A reader takes fields off a body. The first failure sticks; what is read after it is zero.
type reader struct {
	what string
	rest []byte
	err  error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s: %s", ErrMessage, r.what, fmt.Sprintf(format, args...))
	}
}

func (r *reader) take(n int) []byte {
	if r.err == nil && len(r.rest) < n {
		r.fail("truncated: %d bytes where %d are due", len(r.rest), n)
	}
	if r.err != nil {
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) into(dst []byte) { copy(dst, r.take(len(dst))) }

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() int {
	if b := r.take(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) uint32() int {
	if b := r.take(4); b != nil {
		return int(binary.BigEndian.Uint32(b))
	}
	return 0
}

// index reads a member index.
func (r *reader) index() int {
	i := r.uint16()
	if i >= MaxMembers {
		r.fail("member index %d, want below %d", i, MaxMembers)
	}
	return i
}

// after reads a member index that must be above the one before it: lists are strictly ascending, so that every
// set has one encoding and nobody is in it twice. Start with -1.
func (r *reader) after(previous int) int {
	i := r.index()
	if r.err == nil && i <= previous {
		r.fail("member index %d follows %d, want ascending", i, previous)
	}
	return i
}

// count reads the length of a list of at most MaxMembers entries of at least entry bytes each, and checks that
// the bytes are there before anything is allocated for them.
func (r *reader) count(entry int) int {
	n := r.uint16()
	switch {
	case n > MaxMembers:
		r.fail("list of %d members, want at most %d", n, MaxMembers)
	case len(r.rest) < n*entry:
		r.fail("truncated: %d bytes for a list of %d", len(r.rest), n)
	}
	if r.err != nil {
		return 0
	}
	return n
}

// newReader checks the prefix and returns what it says.
func newReader(what string, kind byte, body []byte) (r *reader, sid [32]byte, from int) {
	r = &reader{what: what, rest: body}
	if v := r.byte(); v != wireVersion {
		r.fail("version %d, want %d", v, wireVersion)
	}
	if k := r.byte(); k != kind {
		r.fail("message kind %d, want %d", k, kind)
	}
	r.into(sid[:])
	from = r.index()
	return r, sid, from
}

// done refuses trailing bytes and returns the first failure.
func (r *reader) done() error {
	if r.err == nil && len(r.rest) > 0 {
		r.fail("%d bytes too many", len(r.rest))
	}
	return r.err
}
