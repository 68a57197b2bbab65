package main

import (
	"context"
	"fmt"
	"os"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/founding"
	"github.com/fedlam/fedlam/node/home"
	"github.com/ipfs/go-cid"
)

type joinCmd struct {
	Dir      string `arg:"" help:"Folder of the node."`
	Founding string `arg:"" help:"Folder with the founding documents, or genesis.cbor in it."`
	Epoch    string `placeholder:"F" help:"Document of the proposed epoch that lists this node, if the genesis does not."`
	Genesis  string `placeholder:"CID" help:"Refuse another genesis than this, which you have from the founder by another way."`
}

// Help is shown by `fedlam join --help`.
func (joinCmd) Help() string {
	return `Joins a federation: checks every founding document against the genesis, and that it lists this node, then keeps them in the
node's folder. Shows whom you train with and by which rules. A node joins one federation in its life. One that joins later than the
founders needs the document of a proposed epoch with its card in it, see fedlam epoch propose; should a newer one replace that, join again.

Example:
  fedlam join lab founding --genesis bafyreif4jkwjnznm6ttjidmgxnlzqqvfecfcnyy3ppqkmyzmvkzv6rctci`
}

func (c *joinCmd) Run(ctx context.Context) error {
	h, err := home.Open(c.Dir)
	if err != nil {
		return err
	}
	d, g, err := founding.Read(c.Founding)
	if err != nil {
		return err
	}
	if c.Genesis != "" {
		want, err := parseCID(c.Genesis)
		if err != nil {
			return err
		}
		if got := g.CID(); !got.Equals(want) {
			return fmt.Errorf("the documents are those of genesis %s, not of %s: ask the founder which is right", got, want)
		}
	}
	var epoch []byte
	if c.Epoch != "" {
		if epoch, err = os.ReadFile(c.Epoch); err != nil {
			return err
		}
	}
	if err := node.Join(ctx, h, d, epoch); err != nil {
		return err
	}
	if err := printGenesis(os.Stdout, g); err != nil {
		return err
	}
	if epoch != nil {
		next, err := ledger.DecodeEpoch(epoch)
		if err != nil {
			return err
		}
		fmt.Printf("this node becomes a member with epoch %d, %s, once the others have agreed to it\n", next.K, next.CID())
	}
	fmt.Printf("joined; start the node with fedlam node %s\n", c.Dir)
	return nil
}

// parseCID reads a CID that a person typed.
func parseCID(text string) (cid.Cid, error) {
	c, err := cid.Decode(text)
	if err != nil {
		return cid.Undef, fmt.Errorf("%q is not a CID: %w; a CID looks like bafyrei...", text, err)
	}
	return c, nil
}
