package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fedlam/fedlam/training"
	"github.com/fedlam/fedlam/training/weights"
)

type exportCmd struct {
	Model string `arg:"" help:"Model: a folder written by train or pull."`
	Head  string `help:"Head of a model with several: its key or its name."`
	Out   string `required:"" placeholder:"FILE" help:"File to write, ending in .yaml."`
}

// Help is shown by fedlam export --help.
func (exportCmd) Help() string {
	return `Writes one head of a model, with the trunk, as a DeePMD-neutral model in YAML. DeePMD-kit 3.0.0 and later read it, and turn it
into the formats of their backends with: dp convert-backend water.yaml water.pth. Numbers are written so that they read back
to the last bit. What the labels of the head mean is not part of that format; it stays in config.json of the folder.

Example:
  fedlam export run/ --head water --out water.yaml`
}

// claimedVersion is the DeePMD-kit release whose format is written.
const claimedVersion = "3.1.3"

func (c *exportCmd) Run() error {
	if ext := strings.ToLower(filepath.Ext(c.Out)); ext != ".yaml" && ext != ".yml" {
		return fmt.Errorf("--out %q does not end in .yaml, by which DeePMD-kit knows the format; give the file such a name", c.Out)
	}
	m, err := training.OpenModel(c.Model)
	if err != nil {
		return err
	}
	head, err := m.Head(c.Head)
	if err != nil {
		return err
	}
	if err := (&predictor{Model: c.Model}).protect(c.Out); err != nil {
		return err
	}
	tree, err := head.ToTree(claimedVersion, "fedlam")
	if err != nil {
		return err
	}
	out, err := createOutput(c.Out)
	if err != nil {
		return err
	}
	defer out.discard()
	if err := weights.WriteYAML(out, tree); err != nil {
		return out.failed(err)
	}
	if err := out.commit(); err != nil {
		return err
	}
	for _, h := range m.Heads {
		if h.Key == head.Head {
			fmt.Fprintf(os.Stdout, "head %s written to %s; for DeePMD-kit: dp convert-backend %s %s.pth\n",
				headTitle(h.Key, h.Name), c.Out, c.Out, strings.TrimSuffix(c.Out, filepath.Ext(c.Out)))
		}
	}
	return nil
}
