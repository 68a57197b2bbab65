package blocks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fedlam/fedlam/node/disk"
	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
)

// Put stores a block durably.
func (s *Store) Put(ctx context.Context, b blockformat.Block) error {
	return s.PutMany(ctx, []blockformat.Block{b})
}

// PutMany stores blocks durably; after an error some may be stored and none is stored in part.
func (s *Store) PutMany(ctx context.Context, many []blockformat.Block) error {
	touched := map[string]bool{}
	for _, b := range many {
		if err := ctx.Err(); err != nil {
			return err
		}
		folder, err := s.put(b)
		if err != nil {
			return fmt.Errorf("store block %s: %w", b.Cid(), err)
		}
		if folder != "" {
			touched[folder] = true
		}
	}
	for folder := range touched {
		if err := disk.SyncDir(folder); err != nil {
			return fmt.Errorf("store %d blocks: %w", len(many), disk.Explain(err))
		}
	}
	return nil
}

// put writes one block and returns the folder that has to be synced, or "" when the block was there already.
func (s *Store) put(b blockformat.Block) (string, error) {
	c, data := b.Cid(), b.RawData()
	if err := acceptable(c); err != nil {
		return "", err
	}
	if len(data) > MaxBlock {
		return "", ErrTooLarge
	}
	if err := check(c, data); err != nil {
		return "", err
	}
	path := s.path(c)
	if info, err := os.Stat(path); err == nil && info.Size() == int64(len(data)) {
		return "", nil
	}
	folder := filepath.Dir(path)
	if err := s.makeFolder(folder); err != nil {
		return "", disk.Explain(err)
	}
	return folder, s.create.Replace(path, data, 0o600)
}

func (s *Store) makeFolder(folder string) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return disk.SyncDir(s.dir)
}

// PutBytes stores data as one block of the given codec (cid.Raw, cid.DagCBOR) and returns its CID.
func (s *Store) PutBytes(ctx context.Context, codec uint64, data []byte) (cid.Cid, error) {
	c, err := cid.V1Builder{Codec: codec, MhType: multihash.SHA2_256}.Sum(data)
	if err != nil {
		return cid.Undef, err
	}
	b, err := blockformat.NewBlockWithCid(data, c)
	if err != nil {
		return cid.Undef, err
	}
	return c, s.Put(ctx, b)
}

// GetBytes returns the bytes of one block of the store.
func (s *Store) GetBytes(ctx context.Context, c cid.Cid) ([]byte, error) {
	b, err := s.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	return b.RawData(), nil
}
