// Command arm64 writes the NEON assembly of package kernels. The library that writes the assembly for amd64 knows no other
// processor, so this command prints the text itself. "go generate ./kernels" runs it for each file; the output is
// committed.
//
// Usage: arm64 products|elementwise|rows -out FILE.s -stubs FILE.go -pkg kernels
package main

import (
	"flag"
	"fmt"
	"os"
)

const usage = "usage: arm64 products|elementwise|rows -out FILE.s -stubs FILE.go -pkg kernels"

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "arm64:", err)
		os.Exit(1)
	}
}

func run(what string, args []string) error {
	flags := flag.NewFlagSet(what, flag.ExitOnError)
	out := flags.String("out", "", "write the assembly to this file")
	stubs := flags.String("stubs", "", "write the Go declarations to this file")
	pkg := flags.String("pkg", "", "package of the declarations")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *out == "" || *stubs == "" || *pkg == "" {
		return fmt.Errorf("-out, -stubs and -pkg are all needed; %s", usage)
	}
	f := new(file)
	for _, v := range targets {
		switch what {
		case "products":
			v.products(f)
			v.dots(f)
		case "elementwise":
			v.elementwise(f)
		case "rows":
			v.rowMoves(f)
			v.rowSums(f)
		default:
			return fmt.Errorf("no file %q; %s", what, usage)
		}
	}
	if err := os.WriteFile(*out, f.assembly(what), 0o644); err != nil {
		return err
	}
	return os.WriteFile(*stubs, f.declarations(what, *pkg), 0o644)
}
