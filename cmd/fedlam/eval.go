package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"text/tabwriter"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/extxyz"
	"github.com/fedlam/fedlam/training/dpa2"
)

type evalCmd struct {
	predictor
	JSON   string `name:"json" placeholder:"F" help:"Write energies, atomic energies, forces and virials to this file as JSON; - for standard output."`
	Extxyz string `name:"extxyz" placeholder:"F" help:"Write the frames with the predictions as labels to this file."`
}

// Help is shown by `fedlam eval --help`.
func (evalCmd) Help() string {
	return `Predicts energy, atomic energies, forces and virial of every frame. Labels in FRAMES are not needed and not used.

Example, which writes what the head "water" of a trained model says about a trajectory:
  fedlam eval run/ trajectory.xyz --head water --json predictions.json

The JSON has the frames in the order of the input, energies in eV, forces in eV/Å, the virial in eV with entry 3k+j for
component k of the force and j of the position (W = -dE/dstrain):
  {"version":1,"frames":[{"energy":E,"atom_energy":[..],"forces":[[x,y,z],..],"virial":[9 numbers]}]}
Without --json and --extxyz a table is printed. With --convention, only its units of length and its boundaries count.`
}

// evalOutput is the layout of the JSON file; see Help.
type evalOutput struct {
	Version int         `json:"version"`
	Frames  []evalFrame `json:"frames"`
}

type evalFrame struct {
	Energy     float64      `json:"energy"`
	AtomEnergy []float64    `json:"atom_energy"`
	Forces     [][3]float64 `json:"forces"`
	Virial     [9]float64   `json:"virial"`
}

func (c *evalCmd) Run(ctx context.Context) error {
	m, frames, err := c.open(unlabelled)
	if err != nil {
		return err
	}
	if err := c.protect(c.JSON, c.Extxyz); err != nil {
		return err
	}
	asJSON, err := createOutput(c.JSON)
	if err != nil {
		return err
	}
	defer asJSON.discard()
	asFrames, err := createOutput(c.Extxyz)
	if err != nil {
		return err
	}
	defer asFrames.discard()
	out := evalOutput{Version: 1, Frames: make([]evalFrame, 0, len(frames))}
	err = c.run(ctx, m, frames, func(_ *dataset.Frame, p *dpa2.Prediction) {
		f := evalFrame{Energy: p.Energy, AtomEnergy: p.AtomEnergy, Virial: p.Virial, Forces: make([][3]float64, len(p.AtomEnergy))}
		for i := range f.Forces {
			f.Forces[i] = [3]float64(p.Forces[3*i : 3*i+3])
		}
		out.Frames = append(out.Frames, f)
	})
	if err != nil {
		return err
	}
	if asJSON != nil {
		if err := json.NewEncoder(asJSON).Encode(out); err != nil {
			return asJSON.failed(err)
		}
	}
	if asFrames != nil {
		if err := extxyz.Write(asFrames, nil, withPredictions(frames, out.Frames)); err != nil {
			return asFrames.failed(err)
		}
	}
	if err := commitAll(asJSON, asFrames); err != nil {
		return err
	}
	if c.JSON == "" && c.Extxyz == "" {
		return printEval(os.Stdout, frames, out.Frames)
	}
	return nil
}

// withPredictions returns the frames with predictions in place of labels.
func withPredictions(frames []dataset.Frame, predictions []evalFrame) []dataset.Frame {
	out := make([]dataset.Frame, len(frames))
	for i, f := range frames {
		p := &predictions[i]
		f.Energy, f.Forces = &p.Energy, nil
		for _, v := range p.Forces {
			f.Forces = append(f.Forces, v[:]...)
		}
		f.Virial = nil
		if f.Cell != nil {
			f.Virial = &p.Virial
		}
		out[i] = f
	}
	return out
}

func printEval(w io.Writer, frames []dataset.Frame, predictions []evalFrame) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "frame\tatoms\tenergy (eV)\tlargest force (eV/Å)\t")
	for i, p := range predictions {
		largest := 0.0
		for _, f := range p.Forces {
			largest = max(largest, math.Hypot(math.Hypot(f[0], f[1]), f[2]))
		}
		fmt.Fprintf(t, "%d\t%d\t%.6f\t%.4f\t\n", frames[i].Index, frames[i].NumAtoms(), p.Energy, largest)
	}
	return t.Flush()
}
