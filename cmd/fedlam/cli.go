package main

// cli lists the verbs; each lives in a file of its own name.
var cli struct {
	Version versionCmd `cmd:"" help:"Print the version of this program."`
}
