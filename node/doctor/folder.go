package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/home"
	"github.com/ipfs/go-cid"
)

// self returns the index of the node among the members, or -1.
func (s *Site) self(keys []home.Key) int {
	if s.Genesis == nil {
		return -1
	}
	return memberOf(s.Genesis.Epoch(), keys)
}

// standing reads from the log where this node is in the history.
func (s *Site) standing() (Standing, error) {
	e := s.Genesis.Epoch()
	out := Standing{Genesis: e.Genesis, Epoch: e.CID(), Weights: s.Genesis.Weights, Software: s.Software}
	if s.LogErr != nil {
		return out, errors.New("your log cannot be read; see disk")
	}
	for {
		text, err := s.record(out.Finished)
		if err != nil || text == nil {
			return out, err
		}
		r, err := ledger.DecodeRound(text)
		if err != nil {
			return out, fmt.Errorf("round %d of your log: %w", out.Finished, err)
		}
		out.Record, out.Weights = ledger.CIDOf(text), r.WeightsOut
		out.Finished++
	}
}

// record returns the record of a certified round, or nil.
func (s *Site) record(round uint64) (text []byte, err error) {
	if s.Log == nil {
		return nil, nil
	}
	defer recoverLog(&err)
	for _, key := range [][]byte{federation.RecordKey(round), federation.CertificateKey(round)} {
		value, err := s.Log.Get(key)
		if err != nil || value == nil {
			return nil, err
		}
		if text == nil {
			text = value
		}
	}
	return text, nil
}

// entries reads the whole log and counts.
func (s *Site) entries() (n int, err error) {
	if s.Log == nil {
		return 0, s.LogErr
	}
	defer recoverLog(&err)
	err = s.Log.Each(nil, func(_, _ []byte) error { n++; return nil })
	return n, err
}

// recoverLog turns the panic of a reader that meets spoiled pages into an error.
func recoverLog(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("its pages are spoiled: %v", r)
	}
}

// documents looks whether the founding documents that the node reads at its start are whole.
func (s *Site) documents(ctx context.Context) map[string]error {
	out := map[string]error{}
	for name, root := range map[string]cid.Cid{ledger.ConfigFile: s.Genesis.Config} {
		out[name] = errors.New("there is no block store")
		if s.Store != nil {
			_, out[name] = blocks.FileReader{From: s.Store, Limit: maxConfig}.Read(ctx, root)
		}
	}
	return out
}

const maxConfig = 16 << 20

// weightsSize returns the size of the initial weights file, or 0 when it is not there.
func (s *Site) weightsSize(ctx context.Context) int64 {
	if s.Genesis == nil || s.Store == nil {
		return 0
	}
	n, err := blocks.FileReader{From: s.Store}.Size(ctx, s.Genesis.Weights)
	if err != nil {
		return 0
	}
	return n
}

const probeBytes = 64 << 10

// probe times a small durable write in the folder.
func (s *Site) probe(write func(path string, data []byte) error) (time.Duration, error) {
	dir := filepath.Join(s.Dir, "data")
	if _, err := os.Stat(dir); err != nil {
		dir = s.Dir
	}
	path := filepath.Join(dir, "doctor-"+rand.Text()+".probe") // another owner's doctor may be at work
	start := time.Now()
	err := write(path, make([]byte, probeBytes))
	took := time.Since(start)
	if err == nil {
		err = os.Remove(path)
	}
	return took, err
}
