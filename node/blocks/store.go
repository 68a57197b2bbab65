package blocks

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fedlam/fedlam/node/disk"
	"github.com/ipfs/boxo/blockstore"
	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipldformat "github.com/ipfs/go-ipld-format"
	"github.com/multiformats/go-multihash"
)

// MaxBlock is the largest block a store takes, in bytes.
const MaxBlock = 1 << 20

// ErrTooLarge refuses a block above MaxBlock.
var ErrTooLarge = errors.New("block is larger than 1 MiB")

var fileNames = base32.StdEncoding.WithPadding(base32.NoPadding)

// Config says where a store is.
type Config struct {
	// Dir is the folder of the store; it is created.
	Dir string
	// Create opens new files; nil means disk.OSCreate.
	Create disk.Create
}

// Store is a folder of blocks. It is safe for concurrent use, also by several processes.
type Store struct {
	dir    string
	create disk.Create
}

var _ blockstore.Blockstore = (*Store)(nil)

// Open opens the store in cfg.Dir, or begins one.
func Open(cfg Config) (*Store, error) {
	if cfg.Create == nil {
		cfg.Create = disk.OSCreate
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("open block store %q: %w", cfg.Dir, disk.Explain(err))
	}
	return &Store{cfg.Dir, cfg.Create}, nil
}

// path returns the file of a block; blocks are told apart by their hash alone, as everywhere in IPFS.
func (s *Store) path(c cid.Cid) string {
	name := strings.ToLower(fileNames.EncodeToString(c.Hash()))
	return filepath.Join(s.dir, name[len(name)-2:], name)
}

// acceptable refuses what no store of ours should hold: undefined CIDs and hashes other than SHA-256.
func acceptable(c cid.Cid) error {
	if !c.Defined() {
		return errors.New("undefined CID")
	}
	if p := c.Prefix(); p.MhType != multihash.SHA2_256 || p.MhLength != 32 {
		return fmt.Errorf("CID %s is not made with sha2-256", c)
	}
	return nil
}

// Has reports whether a block is there. It does not read it.
func (s *Store) Has(_ context.Context, c cid.Cid) (bool, error) {
	if acceptable(c) != nil {
		return false, nil
	}
	_, err := os.Stat(s.path(c))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, disk.Explain(err)
}

// GetSize returns the length of a block in bytes, or an ipldformat.ErrNotFound.
func (s *Store) GetSize(_ context.Context, c cid.Cid) (int, error) {
	if acceptable(c) != nil {
		return -1, ipldformat.ErrNotFound{Cid: c}
	}
	info, err := os.Stat(s.path(c))
	if errors.Is(err, fs.ErrNotExist) {
		return -1, ipldformat.ErrNotFound{Cid: c}
	}
	if err != nil {
		return -1, disk.Explain(err)
	}
	return int(info.Size()), nil
}

// Get returns a block whose bytes have the right hash, or an ipldformat.ErrNotFound.
func (s *Store) Get(_ context.Context, c cid.Cid) (blockformat.Block, error) {
	if acceptable(c) != nil {
		return nil, ipldformat.ErrNotFound{Cid: c}
	}
	path := s.path(c)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ipldformat.ErrNotFound{Cid: c}
	}
	if err != nil {
		return nil, disk.Explain(err)
	}
	if check(c, data) != nil {
		// The disk spoiled it. Out of the way it goes, so that a good copy can take its place.
		if err := os.Rename(path, path+".bad"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("set aside the damaged block %s: %w", c, disk.Explain(err))
		}
		return nil, ipldformat.ErrNotFound{Cid: c}
	}
	return blockformat.NewBlockWithCid(data, c)
}

// check returns an error unless data has the hash that c names.
func check(c cid.Cid, data []byte) error {
	got, err := c.Prefix().Sum(data)
	if err != nil {
		return err
	}
	if !got.Equals(c) {
		return blockstore.ErrHashMismatch
	}
	return nil
}

// DeleteBlock removes a block; one that is absent is no error.
func (s *Store) DeleteBlock(_ context.Context, c cid.Cid) error {
	if acceptable(c) != nil {
		return nil
	}
	if err := os.Remove(s.path(c)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return disk.Explain(err)
	}
	return nil
}
