package transcript

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/ipfs/go-cid"
)

const (
	magic    = "fedlam-transcript"
	version  = 1
	maxCID   = 128
	maxCount = 1 << 24 // envelopes of a round
)

// MaxBytes bounds the envelopes of a transcript that is read, in bytes together.
const MaxBytes = 64 << 30

// ErrMalformed is wrapped by errors about the contents of a transcript.
var ErrMalformed = errors.New("this is no whole transcript of fedlam")

// A Transcript is what members said in a round.
type Transcript struct {
	Genesis   cid.Cid
	Round     uint64
	Envelopes [][]byte // in order of arrival
}

// header is what stands before the envelopes.
type header struct {
	genesis cid.Cid
	round   uint64
	count   int
}

// WriteTo writes the transcript. It implements io.WriterTo.
func (t *Transcript) WriteTo(to io.Writer) (int64, error) {
	b := append([]byte(magic), version, byte(t.Genesis.ByteLen()))
	b = binary.BigEndian.AppendUint64(append(b, t.Genesis.Bytes()...), t.Round)
	b = binary.BigEndian.AppendUint32(b, uint32(len(t.Envelopes)))
	w := bufio.NewWriterSize(to, 1<<18)
	n, err := w.Write(b)
	total := int64(n)
	for _, raw := range t.Envelopes {
		for _, part := range [][]byte{binary.BigEndian.AppendUint32(nil, uint32(len(raw))), raw} {
			if err == nil {
				n, err = w.Write(part)
				total += int64(n)
			}
		}
	}
	if err == nil {
		err = w.Flush()
	}
	return total, err
}

var _ io.WriterTo = (*Transcript)(nil)

// Read reads a transcript whose envelopes together have at most limit bytes. Errors about what is read wrap ErrMalformed.
func Read(from io.Reader, limit int64) (*Transcript, error) {
	r := bufio.NewReaderSize(from, 1<<18)
	h, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	t := &Transcript{Genesis: h.genesis, Round: h.round}
	for k := range h.count {
		var size [4]byte
		if _, err := io.ReadFull(r, size[:]); err != nil {
			return nil, cut(err, "%d envelopes of %d", k, h.count)
		}
		n := int64(binary.BigEndian.Uint32(size[:]))
		if limit -= n; n > ledger.MaxEnvelope || limit < 0 {
			return nil, fmt.Errorf("%w: envelope %d of %d bytes is too large", ErrMalformed, k+1, n)
		}
		raw := make([]byte, n)
		if _, err := io.ReadFull(r, raw); err != nil {
			return nil, cut(err, "%d envelopes of %d", k, h.count)
		}
		t.Envelopes = append(t.Envelopes, raw)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return nil, fmt.Errorf("%w: it goes on after its last envelope", ErrMalformed)
	}
	return t, nil
}

func readHeader(r io.Reader) (h header, err error) {
	start := make([]byte, len(magic)+2)
	if _, err := io.ReadFull(r, start); err != nil {
		return h, cut(err, "a file that ends in its header")
	}
	n := int(start[len(magic)+1])
	switch {
	case string(start[:len(magic)]) != magic:
		return h, fmt.Errorf("%w: it begins with other bytes", ErrMalformed)
	case start[len(magic)] != version:
		return h, fmt.Errorf("%w: version %d; this program reads version %d", ErrMalformed, start[len(magic)], version)
	case n > maxCID:
		return h, fmt.Errorf("%w: a CID of %d bytes", ErrMalformed, n)
	}
	rest := make([]byte, n+12)
	if _, err := io.ReadFull(r, rest); err != nil {
		return h, cut(err, "a file that ends in its header")
	}
	if h.genesis, err = cid.Cast(rest[:n]); err != nil {
		return h, fmt.Errorf("%w: genesis: %w", ErrMalformed, err)
	}
	h.round = binary.BigEndian.Uint64(rest[n:])
	count := binary.BigEndian.Uint32(rest[n+8:])
	if count > maxCount {
		return h, fmt.Errorf("%w: %d envelopes", ErrMalformed, count)
	}
	h.count = int(count)
	return h, nil
}

// cut says that a file ended too early, or that it could not be read.
func cut(err error, format string, args ...any) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
	}
	return disk.Explain(err)
}

// ReadFile reads the transcript in a file.
func ReadFile(path string) (*Transcript, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read transcript: %w", disk.Explain(err))
	}
	defer f.Close()
	t, err := Read(f, MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("read transcript %q: %w", path, err)
	}
	return t, nil
}
