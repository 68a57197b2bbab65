package main

import (
	"fmt"
	"runtime/debug"
)

type versionCmd struct{}

// Help is shown by `fedlam version --help`.
func (versionCmd) Help() string { return "Example:\n  fedlam version" }

func (versionCmd) Run() error {
	fmt.Println("fedlam", programVersion())
	return nil
}

func programVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
