// Package testnet runs a federation of real processes on this computer and reports what came of it.
//
// Run takes a manifest (package manifest) and a folder. It trains every member's model alone by `fedlam train`, for
// comparison; makes a node for each member by `fedlam init`, a genesis document from their cards, lets them join it and
// starts them by `fedlam node`; injects the faults that the manifest asks for; waits for the wanted number of certified
// rounds; downloads the certified weights by `fedlam pull` as a stranger would, proves them by `fedlam verify`, and
// evaluates them by `fedlam test`. Every one of these is a process of the running program (package proc), and none
// outlives the run.
//
//	m, err := manifest.Read("molecules.toml", manifest.Options{})
//	f, err := testnet.Claim("molecules")
//	report, err := testnet.Run(ctx, testnet.Config{Manifest: m, Folder: f, Out: os.Stderr})
//	err = report.Print(os.Stdout)
//
// The folder then holds
//
//	nodes/<member>/         the nodes, ready to be started again
//	baseline/<member>/      the local-only trainings
//	validation/<member>.xyz the frames that no training saw, under the member's own convention
//	release/                the certified weights with all that proves them
//	logs/                   what every process said
//
// Members are separate in everything but the computer: each process reads its own data only, and they talk over loopback
// sockets.
package testnet
