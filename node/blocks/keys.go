package blocks

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/fedlam/fedlam/node/disk"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// AllKeysChan lists the blocks as raw CIDs, in no order; rubbish of crashed writes is left out.
func (s *Store) AllKeysChan(ctx context.Context) (<-chan cid.Cid, error) {
	folders, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, disk.Explain(err)
	}
	out := make(chan cid.Cid)
	go func() {
		defer close(out)
		for _, folder := range folders {
			files, err := os.ReadDir(filepath.Join(s.dir, folder.Name()))
			if err != nil {
				return
			}
			for _, f := range files {
				c, ok := parseName(f.Name())
				if !ok {
					continue
				}
				select {
				case out <- c:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, nil
}

// parseName turns the name of a file into the CID of its block.
func parseName(name string) (cid.Cid, bool) {
	raw, err := fileNames.DecodeString(strings.ToUpper(name))
	if err != nil {
		return cid.Undef, false
	}
	hash, err := multihash.Cast(raw)
	if err != nil {
		return cid.Undef, false
	}
	return cid.NewCidV1(cid.Raw, hash), true
}
