// Package demo makes a small federation from nothing: three institutions with labelled frames of liquid water.
//
//	north   SPC/Fw water      Hartree, gradients in Hartree/bohr, positions in bohr
//	south   SPC/Fw water      kcal/mol per atom, forces in kcal/mol/Å
//	west    q-TIP4P/F water   eV, forces in eV/Å
//
// North and south made their labels in the same way and merely store them in other units and signs, so that they train
// one head together; west has another potential, hence a head of its own, and shares the trunk with the others.
//
// Write puts data, conventions and a manifest into a folder; package testnet runs it. The frames come from package
// dataset/reference and are the same on every computer of one architecture.
package demo
