// Command fedlam trains large atomic models in a federation of institutions that keep their data to themselves.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// cli lists the verbs; each lives in a file of its own name.
var cli struct {
	Version versionCmd `cmd:"" help:"Print the version of this program."`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k := kong.Parse(&cli, kong.Name("fedlam"), kong.Description("Train one atomic model together, without sharing data."),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "fedlam:", err)
		os.Exit(1)
	}
}
