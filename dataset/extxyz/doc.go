// Package extxyz reads and writes extended XYZ files, the common format of labelled configurations.
//
// A frame is a line with the number of atoms, a line of key=value pairs, and one line per atom whose columns the pair
// Properties=name:type:count... describes:
//
//	3
//	Lattice="9 0 0 0 9 0 0 0 9" Properties=species:S:1:pos:R:3:forces:R:3 energy=-14.2 pbc="T T T"
//	O 0.00 0.00 0.00  0.1 0.0 0.0
//	H 0.96 0.00 0.00 -0.1 0.0 0.0
//	H -0.24 0.93 0.00 0.0 0.0 0.0
//
// Which keys hold the labels, and in which units, is the convention's word (dataset.Keys); without a convention the
// names and units of ASE are taken: energy in eV, forces in eV/Å, virial in eV or else stress in eV/Å^3, tensile
// positive, with 9 numbers or 6 in Voigt order.
//
// Values may be bare, quoted, bracketed lists, or quoted text that starts with _JSON; a key without a value means true.
// A frame without Properties has species and positions. The species X is a virtual atom. Lattice without pbc means
// periodic unless the convention says otherwise. Frames that are periodic along some axes only are refused.
//
// Frames are read one at a time, so that a file may be larger than memory. Errors name file, frame, line and field and
// never hold a number of the file.
package extxyz
