package doctor

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/ipfs/go-cid"
)

// entries reads the whole log and counts.
func (s *Site) entries() (n int, err error) {
	if s.Log == nil {
		return 0, s.LogErr
	}
	defer recoverLog(&err)
	err = s.Log.Each(nil, func(_, _ []byte) error { n++; return nil })
	return n, err
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
