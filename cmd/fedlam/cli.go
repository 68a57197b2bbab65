package main

// cli lists the verbs; each lives in a file of its own name.
var cli struct {
	Train   trainCmd   `cmd:"" help:"Train a model on this machine."`
	Eval    evalCmd    `cmd:"" help:"Predict energies, forces and virials of frames."`
	Test    testCmd    `cmd:"" help:"Compare predictions with labels."`
	Version versionCmd `cmd:"" help:"Print the version of this program."`
}
