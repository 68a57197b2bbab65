// Command gen writes the assembly of package kernels for amd64; command arm64 beside it does so for arm64. It is a module of its own, so that users of the program do not
// download the assembler library. "go generate ./kernels" runs it for each file; the output is committed.
//
// Usage: gen products|elementwise|rows|attention -out FILE.s -stubs FILE.go -pkg kernels
package main

import (
	"fmt"
	"os"

	"github.com/mmcloughlin/avo/build"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: gen products|elementwise|rows|attention -out FILE.s -stubs FILE.go -pkg kernels")
		os.Exit(2)
	}
	what := os.Args[1]
	os.Args = append(os.Args[:1], os.Args[2:]...)
	build.ConstraintExpr("amd64")
	switch what {
	case "products":
		for _, v := range targets {
			v.products()
			v.dots()
		}
	case "elementwise":
		for _, v := range targets {
			v.elementwise()
		}
	case "rows":
		for _, v := range targets {
			v.rowMoves()
			v.mapRows()
		}
	case "attention":
		for _, v := range targets {
			v.softmax()
			v.fourHeads()
			v.prefetch()
		}
	default:
		fmt.Fprintf(os.Stderr, "gen: no file %q\n", what)
		os.Exit(2)
	}
	build.Generate()
}
