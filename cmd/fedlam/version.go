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

// version is set by the linker for a build that should say something else than what Go knows of it.
var version string

func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
