package blocks_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/disk"
	"github.com/ipfs/boxo/blockstore"
	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	ipldformat "github.com/ipfs/go-ipld-format"
	"github.com/multiformats/go-multihash"
)

func open(t testing.TB) (*blocks.Store, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "blocks")
	s, err := blocks.Open(blocks.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	return s, dir
}

func block(t testing.TB, codec uint64, data string) blockformat.Block {
	t.Helper()
	c, err := cid.V1Builder{Codec: codec, MhType: multihash.SHA2_256}.Sum([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	b, err := blockformat.NewBlockWithCid([]byte(data), c)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// contract is what boxo's components rely on; boxo's own store passes it too.
func contract(t *testing.T, s blockstore.Blockstore) {
	ctx := t.Context()
	many := []blockformat.Block{block(t, cid.Raw, ""), block(t, cid.Raw, "a"), block(t, cid.DagCBOR, "b"), block(t, cid.Raw, "a")}
	absent := block(t, cid.Raw, "absent").Cid()
	if err := s.PutMany(ctx, many); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(ctx, many[1]); err != nil {
		t.Fatalf("second Put: %v", err)
	}
	for _, b := range many {
		got, err := s.Get(ctx, b.Cid())
		if err != nil || !bytes.Equal(got.RawData(), b.RawData()) || !got.Cid().Equals(b.Cid()) {
			t.Errorf("Get(%s) = %v, %v", b.Cid(), got, err)
		}
		if n, err := s.GetSize(ctx, b.Cid()); n != len(b.RawData()) || err != nil {
			t.Errorf("GetSize(%s) = %d, %v; want %d", b.Cid(), n, err, len(b.RawData()))
		}
		if ok, err := s.Has(ctx, b.Cid()); !ok || err != nil {
			t.Errorf("Has(%s) = %v, %v", b.Cid(), ok, err)
		}
	}
	for _, c := range []cid.Cid{absent, cid.Undef} {
		if _, err := s.Get(ctx, c); !ipldformat.IsNotFound(err) {
			t.Errorf("Get of an absent block: %v, want not found", err)
		}
		if ok, err := s.Has(ctx, c); ok || err != nil {
			t.Errorf("Has of an absent block = %v, %v", ok, err)
		}
	}
	if _, err := s.GetSize(ctx, absent); !ipldformat.IsNotFound(err) {
		t.Errorf("GetSize of an absent block: %v, want not found", err)
	}
	keys, err := s.AllKeysChan(ctx)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for c := range keys {
		seen[string(c.Hash())] = true
	}
	if len(seen) != 3 {
		t.Errorf("AllKeysChan listed %d blocks, want 3", len(seen))
	}
	if err := errors.Join(s.DeleteBlock(ctx, many[1].Cid()), s.DeleteBlock(ctx, absent)); err != nil {
		t.Error(err)
	}
	if ok, _ := s.Has(ctx, many[1].Cid()); ok {
		t.Error("a deleted block is still there")
	}
}

func TestContract(t *testing.T) {
	t.Run("ours", func(t *testing.T) { s, _ := open(t); contract(t, s) })
	t.Run("boxo", func(t *testing.T) {
		contract(t, blockstore.NewBlockstore(dssync.MutexWrap(datastore.NewMapDatastore())))
	})
}

func TestReopenKeepsBlocks(t *testing.T) {
	s, dir := open(t)
	c, err := s.PutBytes(t.Context(), cid.DagCBOR, []byte("record"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := blocks.Open(blocks.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.GetBytes(t.Context(), c); err != nil || string(got) != "record" {
		t.Errorf("GetBytes = %q, %v", got, err)
	}
}

func TestRefusals(t *testing.T) {
	s, _ := open(t)
	lie, err := blockformat.NewBlockWithCid([]byte("other"), block(t, cid.Raw, "this").Cid())
	if err != nil {
		t.Fatal(err)
	}
	hash, err := multihash.Sum([]byte("x"), multihash.SHA2_512, -1)
	if err != nil {
		t.Fatal(err)
	}
	odd, err := blockformat.NewBlockWithCid([]byte("x"), cid.NewCidV1(cid.Raw, hash))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		block blockformat.Block
		want  string
	}{
		{"wrong hash", lie, "different hash"},
		{"too large", block(t, cid.Raw, strings.Repeat("x", blocks.MaxBlock+1)), "larger than"},
		{"other hash function", odd, "sha2-256"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := s.Put(t.Context(), c.block); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Put: %v, want %q", err, c.want)
			}
			if ok, _ := s.Has(t.Context(), c.block.Cid()); ok {
				t.Error("stored all the same")
			}
		})
	}
}

func TestSpoiledBlockIsAbsentUntilPutAgain(t *testing.T) {
	s, dir := open(t)
	b := block(t, cid.Raw, strings.Repeat("weights", 100))
	if err := s.Put(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	data, _ := os.ReadFile(files[0])
	data[rand.IntN(len(data))] ^= 1
	if err := os.WriteFile(files[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), b.Cid()); !ipldformat.IsNotFound(err) {
		t.Fatalf("Get of a spoiled block: %v, want not found", err)
	}
	if err := s.Put(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), b.Cid()); err != nil {
		t.Errorf("after a good copy was put: %v", err)
	}
}

// fullFile fails every write as a full disk does.
type fullFile struct{ disk.File }

func (fullFile) Write([]byte) (int, error) { return 0, &fs.PathError{Op: "write", Err: syscall.ENOSPC} }

func TestFullDisk(t *testing.T) {
	full := false
	s, err := blocks.Open(blocks.Config{Dir: t.TempDir(), Create: func(path string, perm fs.FileMode) (disk.File, error) {
		f, err := disk.OSCreate(path, perm)
		if full {
			return fullFile{f}, err
		}
		return f, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	kept := block(t, cid.Raw, "kept")
	if err := s.Put(context.Background(), kept); err != nil {
		t.Fatal(err)
	}
	full = true
	lost := block(t, cid.Raw, "lost")
	if err := s.Put(t.Context(), lost); !errors.Is(err, disk.ErrFull) {
		t.Errorf("Put on a full disk: %v, want ErrFull", err)
	}
	if ok, _ := s.Has(t.Context(), lost.Cid()); ok {
		t.Error("a block that could not be written counts as stored")
	}
	if _, err := s.Get(t.Context(), kept.Cid()); err != nil {
		t.Errorf("the block from before is gone: %v", err)
	}
}
