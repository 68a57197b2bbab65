package blocks

import (
	"context"
	"errors"
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/boxo/ipld/unixfs"
	pb "github.com/ipfs/boxo/ipld/unixfs/pb"
	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	dagpb "github.com/ipld/go-codec-dagpb"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
)

// A Fetcher hands over blocks by CID, from wherever it has them, in any order, each once. It returns nil when take has
// had all of them, the error of take if it returned one, and ErrMissing when it cannot get the others. A Store and an
// Exchange are Fetchers.
type Fetcher interface {
	Fetch(ctx context.Context, cids []cid.Cid, take func(blockformat.Block) error) error
}

const (
	leafSize  = ledger.LeafSize
	maxLinks  = ledger.TreeWidth
	maxDepth  = 6  // levels; three hold 7.9 GB
	fetchMany = 64 // blocks asked for at a time
)

// ErrMalformed says that a file's tree is not one that WriteFile makes.
var ErrMalformed = errors.New("not a well-formed UnixFS file of 256 KiB raw leaves")

// ErrMissing says that a Fetcher had no more of a file's blocks.
var ErrMissing = errors.New("blocks are missing")

// FileReader reads UnixFS files from a source that need not be trusted.
type FileReader struct {
	From Fetcher
	// Limit is the largest file accepted, in bytes; a file of that size may be allocated at once.
	Limit int64
	// Progress, when set, is told how many of the file's bytes have arrived; it is called from one goroutine.
	Progress func(done, total int64)
}

// part is a subtree that is still to be read: it fills data[offset : offset+size].
type part struct {
	offset, size int64
	depth        int
}

// Read returns the whole file under root.
func (r FileReader) Read(ctx context.Context, root cid.Cid) ([]byte, error) {
	data, err := r.read(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("read file %s: %w", root, err)
	}
	return data, nil
}

func (r FileReader) read(ctx context.Context, root cid.Cid) ([]byte, error) {
	first, err := r.first(ctx, root)
	if err != nil {
		return nil, err
	}
	if root.Prefix().Codec == cid.Raw {
		if int64(len(first.RawData())) > min(r.Limit, leafSize) {
			return nil, fmt.Errorf("%w: one leaf of %d bytes", ErrMalformed, len(first.RawData()))
		}
		return first.RawData(), nil
	}
	total, children, err := parseNode(first)
	if err != nil {
		return nil, err
	}
	if total > r.Limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are accepted", ErrMalformed, total, r.Limit)
	}
	w := walk{reader: r, data: make([]byte, total), pending: map[cid.Cid][]part{}}
	if err := w.plan(children, part{0, total, 0}); err != nil {
		return nil, err
	}
	for len(w.queue) > 0 {
		if err := w.step(ctx); err != nil {
			return nil, err
		}
	}
	return w.data, nil
}

func (r FileReader) first(ctx context.Context, root cid.Cid) (first blockformat.Block, err error) {
	err = r.get(ctx, []cid.Cid{root}, func(b blockformat.Block) error { first = b; return nil })
	return first, err
}

// Size returns how many bytes the file under root has, as its first block says; the others are not read.
func (r FileReader) Size(ctx context.Context, root cid.Cid) (int64, error) {
	first, err := r.first(ctx, root)
	if err != nil {
		return 0, fmt.Errorf("size of file %s: %w", root, err)
	}
	if root.Prefix().Codec == cid.Raw {
		return int64(len(first.RawData())), nil
	}
	total, _, err := parseNode(first)
	if err != nil {
		return 0, fmt.Errorf("size of file %s: %w", root, err)
	}
	return total, nil
}

// get asks for cids and hands each block to take once its hash is proven.
func (r FileReader) get(ctx context.Context, cids []cid.Cid, take func(blockformat.Block) error) error {
	want := map[cid.Cid]bool{}
	for _, c := range cids {
		if err := acceptable(c); err != nil {
			return err
		}
		want[c] = true
	}
	err := r.From.Fetch(ctx, cids, func(b blockformat.Block) error {
		if !want[b.Cid()] {
			return fmt.Errorf("block %s arrived unasked or twice", b.Cid())
		}
		delete(want, b.Cid())
		if err := check(b.Cid(), b.RawData()); err != nil {
			return err
		}
		return take(b)
	})
	if err == nil && len(want) > 0 {
		return fmt.Errorf("%w: %d of the %d asked for", ErrMissing, len(want), len(cids))
	}
	return err
}

// child is one link of a node with the size its subtree must have.
type child struct {
	cid  cid.Cid
	size int64
}

// parseNode reads an inner node and proves that its sizes add up.
func parseNode(b blockformat.Block) (total int64, children []child, err error) {
	if b.Cid().Prefix().Codec != cid.DagProtobuf {
		return 0, nil, fmt.Errorf("%w: codec %#x", ErrMalformed, b.Cid().Prefix().Codec)
	}
	builder := dagpb.Type.PBNode.NewBuilder()
	if err := dagpb.DecodeBytes(builder, b.RawData()); err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	node := builder.Build().(dagpb.PBNode)
	links := node.FieldLinks()
	if !node.FieldData().Exists() || links.Length() == 0 || links.Length() > maxLinks {
		return 0, nil, fmt.Errorf("%w: a node with %d links", ErrMalformed, links.Length())
	}
	fs, err := unixfs.FSNodeFromBytes(node.FieldData().Must().Bytes())
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if fs.Type() != pb.Data_File || len(fs.Data()) != 0 || int64(fs.NumChildren()) != links.Length() {
		return 0, nil, fmt.Errorf("%w: a node with %d sizes for %d links", ErrMalformed, fs.NumChildren(), links.Length())
	}
	for i := range fs.NumChildren() {
		link, ok := links.Lookup(int64(i)).FieldHash().Link().(cidlink.Link)
		size := fs.BlockSize(i)
		if !ok || size == 0 || size > 1<<40 {
			return 0, nil, fmt.Errorf("%w: a child of %d bytes", ErrMalformed, size)
		}
		children = append(children, child{link.Cid, int64(size)})
		total += int64(size)
	}
	if uint64(total) != fs.FileSize() {
		return 0, nil, fmt.Errorf("%w: %d bytes declared, %d in its children", ErrMalformed, fs.FileSize(), total)
	}
	return total, children, nil
}
