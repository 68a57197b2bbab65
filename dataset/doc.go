// Package dataset holds labelled atomic configurations and says what their labels mean.
//
// A Frame is always in canonical units: Å, eV per configuration, eV/Å, virial in eV. A Convention describes how the
// labels of a data set were made and are stored. Readers (extxyz, deepmd, load) fill a Raw with the numbers of a file
// and Convention.Canonical turns it into a Frame; Convention.Relabel goes the other way. Nothing downstream of a Frame
// converts units again.
//
// Two data sets can train one head of a model only if their labels mean the same. Convention.Key is that equality: a
// hash over the fields that cannot be converted into each other (level of theory, basis, spin policy, quantity), blind
// to those that can (units, signs, orders, per atom or in total).
//
//	conv, err := dataset.ReadConvention("convention.json")
//	frames, err := load.Open("train.xyz", conv)
//	report := dataset.Audit(frames)
//	train, validation := dataset.Split(frames, 0.1, 1)
//
// Audit looks for labels that contradict each other, such as a wrong unit or sign. Split divides frames by a hash of
// their contents, so that a frame keeps its side whatever else is in the set.
//
// Files are hostile: readers check lengths before they allocate and refuse NaN and infinities. No error and no report
// holds a coordinate or a label, only names and counts, so that they may be logged where the data may not be shown.
package dataset
