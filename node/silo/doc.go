// Package silo is what a member keeps to itself: its labelled frames and the training on them.
//
// Open reads the data sets named in node.toml, each under its label convention, audits them, drops copies, divides them
// into training and validation by a hash of their content, and groups them by head, the key of the convention. Data that
// contradict themselves are refused with the likely mistake named; so is an element that the model does not know.
//
// From then on a Silo gives away only what the federation adds up under masks: sums over all frames (EnvStats,
// NormalEquations), which elements occur (Elements), and the weights after a number of local steps (Train). Nothing it
// returns or logs holds a coordinate or a label of a single frame.
//
// Adam's moments and the place in the data live on from round to round and, by Save, from run to run.
//
//	s, err := silo.Open(silo.Config{Sets: sets, Recipe: recipe})
//	out, err := s.Train(ctx, certified, 100, nil)      // pseudo-gradient = certified - out
package silo
