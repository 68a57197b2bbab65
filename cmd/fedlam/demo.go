package main

import (
	"context"
	"os"

	"github.com/fedlam/fedlam/testnet"
	"github.com/fedlam/fedlam/testnet/demo"
	"github.com/fedlam/fedlam/testnet/manifest"
)

type demoCmd struct {
	Dir    string `default:"fedlam-demo" help:"Folder for everything that is made; that of an earlier demo is emptied first."`
	Rounds int    `help:"Rounds of training; default 40."`
	JSON   string `name:"json" placeholder:"F" help:"Write the report to this file as JSON, in the layout of fedlam testnet run; - for standard output."`
}

// Help is shown by `fedlam demo --help`.
func (demoCmd) Help() string {
	return `Three institutions train one model of water together, as three processes on this computer, with data that is made on the spot.
North and south have frames of one water model and store their labels in other units and signs, so they share a head; west has
another water model and a head of its own. Takes about two minutes. In the end it shows the errors of training alone and of
training together, and the commands to verify, evaluate and restart what was made.

Example:
  fedlam demo --dir fedlam-demo --json report.json`
}

func (c *demoCmd) Run(ctx context.Context) error {
	folder, err := testnet.Claim(c.Dir)
	if err != nil {
		return err
	}
	path, err := demo.Write(folder.Path(), demo.Options{Rounds: c.Rounds})
	if err != nil {
		return err
	}
	m, err := manifest.Read(path, manifest.Options{})
	if err != nil {
		return err
	}
	return runTestnet(ctx, testnet.Config{Manifest: m, Folder: folder, Out: os.Stderr}, c.JSON)
}
