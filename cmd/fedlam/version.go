package main

import (
	"fmt"
	"runtime/debug"
)

type versionCmd struct{}

// Help is shown by `fedlam version --help`.
func (versionCmd) Help() string { return "Example:\n  fedlam version" }

func (versionCmd) Run() error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	fmt.Println("fedlam", version)
	return nil
}
