package blocks_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/fedlam/fedlam/node/blocks"
	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	chunker "github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	ipldformat "github.com/ipfs/go-ipld-format"
	"github.com/multiformats/go-multihash"
)

const leaf = 256 << 10

func noise(n int) []byte {
	data := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(data)
	return data
}

func TestFileRoundTrip(t *testing.T) {
	s, _ := open(t)
	for _, n := range []int{0, 1, leaf - 1, leaf, leaf + 1, 3*leaf + 5, 175*leaf + 9} {
		data := noise(n)
		for at := leaf; at < n; at += leaf {
			copy(data[at:], data[:leaf]) // equal leaves are stored once and must land many times
		}
		root, err := s.WriteFile(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		last := int64(0)
		r := blocks.FileReader{From: s, Limit: int64(n), Progress: func(done, _ int64) { last = done }}
		got, err := r.Read(t.Context(), root)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: read %d bytes, %v", n, len(got), err)
		}
		if size, err := r.Size(t.Context(), root); err != nil || size != int64(n) {
			t.Errorf("%d bytes: size %d, %v", n, size, err)
		}
		if n > leaf && last != int64(n) {
			t.Errorf("%d bytes: progress ended at %d", n, last)
		}
		if n > 0 {
			if _, err := (blocks.FileReader{From: s, Limit: int64(n) - 1}).Read(t.Context(), root); !errors.Is(err, blocks.ErrMalformed) {
				t.Errorf("%d bytes: read above the limit: %v", n, err)
			}
		}
	}
}

// importer is boxo's way of adding a file, which is kubo's.
func importer(t *testing.T, data []byte) cid.Cid {
	t.Helper()
	store := blockstore.NewBlockstore(dssync.MutexWrap(datastore.NewMapDatastore()))
	params := helpers.DagBuilderParams{Maxlinks: helpers.DefaultLinksPerBlock, RawLeaves: true,
		CidBuilder: cid.V1Builder{Codec: cid.DagProtobuf, MhType: multihash.SHA2_256},
		Dagserv:    merkledag.NewDAGService(blockservice.New(store, nil))}
	builder, err := params.New(chunker.NewSizeSplitter(bytes.NewReader(data), leaf))
	if err != nil {
		t.Fatal(err)
	}
	root, err := balanced.Layout(builder)
	if err != nil {
		t.Fatal(err)
	}
	return root.Cid()
}

func TestFilesAreTheOnesIPFSMakes(t *testing.T) {
	s, _ := open(t)
	for _, n := range []int{0, 1, leaf, leaf + 1, 2 * leaf} {
		data := noise(n)
		root, err := s.WriteFile(t.Context(), data)
		if err != nil {
			t.Fatal(err)
		}
		if want := importer(t, data); !root.Equals(want) {
			t.Errorf("%d bytes: root %s, boxo makes %s", n, root, want)
		}
	}
}

func TestMissingLeaf(t *testing.T) {
	s, _ := open(t)
	data := noise(3 * leaf)
	root, err := s.WriteFile(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	second, err := cid.V1Builder{Codec: cid.Raw, MhType: multihash.SHA2_256}.Sum(data[leaf : 2*leaf])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteBlock(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if _, err := (blocks.FileReader{From: s, Limit: 1 << 30}).Read(t.Context(), root); !errors.Is(err, blocks.ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
}

// inner builds a node the way a liar would: sizes need not match what is below.
func inner(t *testing.T, s *blocks.Store, children []cid.Cid, sizes []uint64, fileSize int64) cid.Cid {
	t.Helper()
	fsn := unixfs.NewFSNode(unixfs.TFile)
	for _, n := range sizes {
		fsn.AddBlockSize(n)
	}
	fsn.UpdateFilesize(fileSize)
	meta, err := fsn.GetBytes()
	if err != nil {
		t.Fatal(err)
	}
	node := merkledag.NodeWithData(meta)
	node.SetCidBuilder(cid.V1Builder{Codec: cid.DagProtobuf, MhType: multihash.SHA2_256})
	for _, c := range children {
		if err := node.AddRawLink("", &ipldformat.Link{Cid: c}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Put(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	return node.Cid()
}

func TestHostileTrees(t *testing.T) {
	s, _ := open(t)
	full, err := s.PutBytes(t.Context(), cid.Raw, noise(leaf))
	if err != nil {
		t.Fatal(err)
	}
	tiny, err := s.PutBytes(t.Context(), cid.Raw, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	cborBlock, err := s.PutBytes(t.Context(), cid.DagCBOR, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	bomb, size := tiny, uint64(1)
	for range 5 { // 100^5 one-byte leaves from six blocks
		children, sizes := make([]cid.Cid, 100), make([]uint64, 100)
		for i := range children {
			children[i], sizes[i] = bomb, size
		}
		size *= 100
		bomb = inner(t, s, children, sizes, 0)
	}
	deep := full
	for range 8 {
		deep = inner(t, s, []cid.Cid{deep}, []uint64{leaf}, 0)
	}
	for _, c := range []struct {
		name string
		root cid.Cid
	}{
		{"bomb of tiny leaves", bomb},
		{"deeper than any file", deep},
		{"leaf shorter than announced", inner(t, s, []cid.Cid{tiny, full}, []uint64{leaf, leaf}, 0)},
		{"declared size differs", inner(t, s, []cid.Cid{full}, []uint64{leaf}, 1)},
		{"no children", inner(t, s, nil, nil, 0)},
		{"more links than sizes", inner(t, s, []cid.Cid{full, full}, []uint64{leaf}, 0)},
		{"empty child", inner(t, s, []cid.Cid{full, tiny}, []uint64{leaf, 0}, 0)},
		{"sizes overflow", inner(t, s, []cid.Cid{full, full}, []uint64{1 << 63, 1 << 63}, 0)},
		{"other codec", cborBlock},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := blocks.FileReader{From: s, Limit: 1 << 34}.Read(t.Context(), c.root)
			if !errors.Is(err, blocks.ErrMalformed) {
				t.Errorf("read %d bytes, %v; want ErrMalformed", len(got), err)
			}
		})
	}
}

// one serves a single block to every question.
type one struct{ data []byte }

func (o one) Fetch(_ context.Context, cids []cid.Cid, take func(blockformat.Block) error) error {
	for _, c := range cids {
		b, err := blockformat.NewBlockWithCid(o.data, c)
		if err != nil {
			return err
		}
		if err := take(b); err != nil {
			return err
		}
	}
	return nil
}

func TestWrongBytesFromSource(t *testing.T) {
	root := block(t, cid.Raw, "what was asked for").Cid()
	if got, err := (blocks.FileReader{From: one{[]byte("something else")}, Limit: 100}).Read(t.Context(), root); err == nil {
		t.Errorf("took %q", got)
	}
}

func FuzzReadFile(f *testing.F) {
	s, err := blocks.Open(blocks.Config{Dir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	root, err := s.WriteFile(f.Context(), noise(2*leaf+1))
	if err != nil {
		f.Fatal(err)
	}
	node, err := s.GetBytes(f.Context(), root)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(node)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := cid.V1Builder{Codec: cid.DagProtobuf, MhType: multihash.SHA2_256}.Sum(data)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := (blocks.FileReader{From: one{data}, Limit: 1 << 20}).Read(t.Context(), c); err == nil && len(got) > 1<<20 {
			t.Errorf("read %d bytes above the limit", len(got))
		}
	})
}
