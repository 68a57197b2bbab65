// Package silo is what a member keeps to itself: its labelled frames and the training on them.
//
// Open reads the data sets named in node.toml, each under its label convention, audits them, drops copies, divides them
// into training and validation by a hash of their content, and groups them by head, the key of the convention. Data that
// contradict themselves are refused with the likely mistake named; so is an element that the model does not know.
//
// From then on a Silo is the federation.Trainer of its member and gives away only what the federation adds up under masks: sums
// over all frames and which elements occur (Collect), and how far local steps moved the weights (Train). Nothing it logs
// holds a coordinate or a label of a frame.
//
// With the rule fragments a Silo trains on while sums are made (Continue, Ahead, Merge): its weights are then its own, and every
// certified fragment is put under what it has trained since. A restart begins with all certified weights.
//
// Adam's moments and the place in the data live on from round to round and, by Save, from run to run.
//
//	s, err := silo.Open(silo.Config{Sets: sets, Recipe: recipe})
//	update, err := s.Train(ctx, certified, 100)
package silo
