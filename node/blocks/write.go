package blocks

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ipfs/boxo/blockservice"
	chunker "github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipldformat "github.com/ipfs/go-ipld-format"
	"github.com/multiformats/go-multihash"
)

// WriteFile stores data as a UnixFS file and returns its root.
func (s *Store) WriteFile(ctx context.Context, data []byte) (cid.Cid, error) {
	p := helpers.DagBuilderParams{
		Maxlinks:   maxLinks,
		RawLeaves:  true,
		CidBuilder: cid.V1Builder{Codec: cid.DagProtobuf, MhType: multihash.SHA2_256},
		Dagserv:    merkledag.NewDAGService(blockservice.New(s, nil)),
	}
	builder, err := p.New(chunker.NewSizeSplitter(bytes.NewReader(data), leafSize))
	if err != nil {
		return cid.Undef, err
	}
	root, err := balanced.Layout(builder)
	if err != nil {
		return cid.Undef, fmt.Errorf("store a file of %d bytes: %w", len(data), err)
	}
	return root.Cid(), nil
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
