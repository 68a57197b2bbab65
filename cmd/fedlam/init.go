package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/fedlam/fedlam/node/home"
)

type initCmd struct {
	Dir        string   `arg:"" help:"Folder of the node; it is created."`
	Name       string   `help:"Name that the other members see."`
	Data       []string `sep:"none" placeholder:"PATH" help:"Labelled frames: extended XYZ, a DeePMD system or a folder of them, with an optional range FILE:0:250. May be repeated."`
	Convention []string `sep:"none" placeholder:"FILE" help:"Label convention of the data, once for each --data."`
	Listen     []string `sep:"none" placeholder:"ADDR" help:"Multiaddress to listen on for members; default: QUIC and TCP on port 4101 of every interface."`
	Announce   []string `sep:"none" placeholder:"ADDR" help:"Multiaddress for the card where it differs, such as a public name or a forwarded port."`
	Public     []string `sep:"none" placeholder:"ADDR" help:"Multiaddress from which anyone may download certified weights; without it the public side is off."`
	MinCohort  int      `help:"Smallest number of members in a sum that this node contributes to; default 5."`
	Card       bool     `help:"Only print the card of the node that is there."`
}

// Help is shown by `fedlam init --help`.
func (initCmd) Help() string {
	return `Makes a node: keys, which never leave the folder, and node.toml, which you may edit. Prints the member card (JSON: name, public
keys, addresses, label conventions) to give to who starts the federation. Nothing about the data but the conventions is on it.

Example:
  fedlam init lab --name "Water Lab" --data water.xyz --convention water.json --listen /ip4/0.0.0.0/udp/4101/quic-v1 > lab.card.json

The card is {"fedlam_card":1,"name":..,"member":<hex of the signing key>,"peer":<libp2p id>,"addresses":[..],"conventions":[{..}]}.
After a change of data, addresses or name in node.toml print it again with fedlam init lab --card.`
}

func (c *initCmd) Run() error {
	h, err := c.open()
	if err != nil {
		return err
	}
	card, err := h.Card()
	if err != nil {
		return err
	}
	text, err := card.Text()
	if err != nil {
		return err
	}
	if _, err := os.Stdout.Write(text); err != nil {
		return err
	}
	if !c.Card {
		fmt.Fprintf(os.Stderr, "made node %q in %s; back up its three .key files, and give the card above to who starts the federation\n", c.Name, c.Dir)
	}
	return nil
}

func (c *initCmd) open() (*home.Home, error) {
	if c.Card {
		return home.Open(c.Dir)
	}
	if c.Name == "" {
		return nil, errors.New("give the node a name with --name; the other members see it")
	}
	if len(c.Data) != len(c.Convention) {
		return nil, fmt.Errorf("%d --data and %d --convention: give one convention for each data set, in the same order", len(c.Data), len(c.Convention))
	}
	cfg := home.Config{Name: c.Name, Listen: c.Listen, Announce: c.Announce, Policy: home.Policy{MinCohort: c.MinCohort},
		Public: home.Public{Enabled: len(c.Public) > 0, Listen: c.Public}}
	for i := range c.Data {
		d := home.Data{}
		var err error
		if d.Path, err = filepath.Abs(c.Data[i]); err != nil {
			return nil, err
		}
		if d.Convention, err = filepath.Abs(c.Convention[i]); err != nil {
			return nil, err
		}
		if _, err := os.Stat(d.Convention); err != nil {
			return nil, fmt.Errorf("convention of %s: %w", c.Data[i], err)
		}
		cfg.Data = append(cfg.Data, d)
	}
	return home.Create(c.Dir, cfg, rand.Reader)
}
