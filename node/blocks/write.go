package blocks

import (
	"context"
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipldformat "github.com/ipfs/go-ipld-format"
)

// WriteFile stores data as a UnixFS file and returns its root, which is durable once all of the file is.
func (s *Store) WriteFile(ctx context.Context, data []byte) (cid.Cid, error) {
	root, parts := ledger.UnixFSRoot(data)
	many := make([]blockformat.Block, len(parts))
	for i, p := range parts {
		b, err := blockformat.NewBlockWithCid(p.Data, p.CID)
		if err != nil {
			return cid.Undef, err
		}
		many[i] = b
	}
	if err := s.PutMany(ctx, many); err != nil {
		return cid.Undef, fmt.Errorf("store a file of %d bytes: %w", len(data), err)
	}
	return root, nil
}

// Fetch hands over blocks of the store.
func (s *Store) Fetch(ctx context.Context, cids []cid.Cid, take func(blockformat.Block) error) error {
	for _, c := range cids {
		b, err := s.Get(ctx, c)
		if ipldformat.IsNotFound(err) {
			return fmt.Errorf("%w: %s", ErrMissing, c)
		}
		if err != nil {
			return err
		}
		if err := take(b); err != nil {
			return err
		}
	}
	return nil
}

var _ Fetcher = (*Store)(nil)
