//go:build !linux

package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func canMount(*testing.T) bool { return false }

func cmdSmallDisk(ts *testscript.TestScript, neg bool, args []string) {
	ts.Fatalf("a small disk can be mounted on Linux only")
}
