// Command fedlam trains large atomic models in a federation of institutions that keep their data to themselves.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	k := kong.Parse(&cli, kong.Name("fedlam"), kong.Description("Train one atomic model together, without sharing data."),
		kong.UsageOnError(), kong.BindTo(ctx, (*context.Context)(nil)))
	if err := k.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "fedlam:", err)
		if of := (exitError{}); errors.As(err, &of) {
			return of.status
		}
		return 1
	}
	return 0
}
