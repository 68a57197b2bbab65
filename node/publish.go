package node

import (
	"context"
	"fmt"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/blocks"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/ipfs/go-cid"
)

// OpenStore opens the block store of a node's folder.
func OpenStore(h *home.Home) (*blocks.Store, error) {
	path, err := h.Data("blocks")
	if err != nil {
		return nil, err
	}
	return blocks.Open(blocks.Config{Dir: path})
}

// Join puts the documents of a federation into a node's folder, after checking that they list the node as a member: the genesis does, or
// the document of a later epoch, which is nil otherwise.
func Join(ctx context.Context, h *home.Home, d *founding.Documents, epoch []byte) error {
	g, err := ledger.DecodeGenesis(d.Genesis)
	if err != nil {
		return err
	}
	n := &Node{cfg: Config{Home: h}, genesis: g}
	if err := n.checkListed(epoch); err != nil {
		return fmt.Errorf("join %s: %w", g.CID(), err)
	}
	store, err := OpenStore(h)
	if err != nil {
		return err
	}
	files := [][]byte{d.Config, d.Weights}
	for _, text := range d.Conventions {
		files = append(files, text)
	}
	for _, text := range d.Canaries {
		files = append(files, text)
	}
	for _, text := range files {
		if _, err := store.WriteFile(ctx, text); err != nil {
			return err
		}
	}
	for _, document := range [][]byte{d.Genesis, g.Epoch().Encode()} {
		if _, err := store.PutBytes(ctx, cid.DagCBOR, document); err != nil {
			return err
		}
	}
	if err := h.PutEpoch(epoch); err != nil {
		return err
	}
	// The genesis file comes last: with it the node has joined.
	return h.PutGenesis(d.Genesis)
}

// checkListed says why this node cannot join.
func (n *Node) checkListed(document []byte) error {
	card := fmt.Sprintf("give its card (`fedlam init %s --card`) to", n.cfg.Home.Dir)
	if document == nil {
		if n.genesis.Epoch().Index(n.id()) < 0 {
			return fmt.Errorf("this node is not one of its %d members: %s who started the federation, or to a member who proposes an epoch with it, "+
				"and join with --epoch and that document", len(n.genesis.Members), card)
		}
		return nil
	}
	e, err := ledger.DecodeEpoch(document)
	switch {
	case err != nil:
		return err
	case !e.Genesis.Equals(n.genesis.CID()):
		return fmt.Errorf("the epoch %s belongs to the federation %s", e.CID(), e.Genesis)
	case e.Index(n.id()) < 0:
		return fmt.Errorf("the epoch %s does not list this node: %s who proposed it", e.CID(), card)
	}
	return nil
}

// storeFiles puts files into the block store, durably.
func (n *Node) storeFiles(ctx context.Context, round uint64, files []federation.File) error {
	for _, f := range files {
		root, err := n.store.WriteFile(ctx, f.Data)
		if err != nil {
			return fmt.Errorf("store the files of round %d: %w", round, err)
		}
		if !root.Equals(f.CID) {
			return fmt.Errorf("store the files of round %d: one has CID %s, want %s", round, root, f.CID)
		}
	}
	return nil
}

// publish puts a certified round into the block store. A node that cannot store it stops.
func (n *Node) publish(ctx context.Context, a federation.Publish) error {
	if err := n.storeFiles(ctx, a.Round, a.Files); err != nil {
		return err
	}
	for _, document := range [][]byte{a.Record, a.Certificate, a.Epoch} {
		if len(document) == 0 {
			continue
		}
		if _, err := n.store.PutBytes(ctx, cid.DagCBOR, document); err != nil {
			return fmt.Errorf("publish round %d: %w", a.Round, err)
		}
	}
	return n.index.add(a.Round, a.Record, a.Certificate)
}
