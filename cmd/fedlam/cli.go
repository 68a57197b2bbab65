package main

// cli lists the verbs; each lives in a file of its own name.
var cli struct {
	Init    initCmd    `cmd:"" help:"Make a node and print its member card."`
	Genesis genesisCmd `cmd:"" help:"Start a federation from member cards."`
	Join    joinCmd    `cmd:"" help:"Join a federation."`
	Epoch   epochCmd   `cmd:"" help:"Change who the members are."`
	Node    nodeCmd    `cmd:"" help:"Run a node."`
	Status  statusCmd  `cmd:"" help:"Ask a running node where it stands."`
	Doctor  doctorCmd  `cmd:"" help:"Find out what keeps a node from working, and what to do."`
	Pull    pullCmd    `cmd:"" help:"Download certified weights and their proof."`
	Verify  verifyCmd  `cmd:"" help:"Check a downloaded release offline."`
	Replay  replayCmd  `cmd:"" help:"Verify a finished round again from the messages that a node kept."`
	Train   trainCmd   `cmd:"" help:"Train a model on this machine."`
	Eval    evalCmd    `cmd:"" help:"Predict energies, forces and virials of frames."`
	Test    testCmd    `cmd:"" help:"Compare predictions with labels."`
	Export  exportCmd  `cmd:"" help:"Write one head of a model for DeePMD-kit."`
	Bench   benchCmd   `cmd:"" help:"Measure how fast this machine trains and predicts."`
	Demo    demoCmd    `cmd:"" help:"See three institutions train together on this computer."`
	Testnet testnetCmd `cmd:"" help:"Run a federation of processes from a manifest."`
	Version versionCmd `cmd:"" help:"Print the version of this program."`
}
