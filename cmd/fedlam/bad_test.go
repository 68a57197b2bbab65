package main

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/dataset/deepmd"
	"github.com/fedlam/fedlam/dataset/extxyz"
)

// scriptCommands are what scripts about bad input use besides testscript's own:
//
//	refuses PROGRAM ARGS...   runs a program that must end with status 1 and one line of complaint
//	hides FILE...             the output of the last program has no number that stands in these files
//	tiny                      writes input.toml, a training that takes no time, and its frames a.xyz
//	npy FILE.xyz DIR          writes the frames as a DeePMD system
//	truncate FILE N           keeps the first N bytes
//	poke FILE N               writes NaN over number N of an npy file of float64
//	swap FILE OLD NEW         replaces a text, which must be there; \n in NEW is a new line
//	smalldisk DIR KIB         mounts an empty file system of that size
//	ballast FILE              fills a file until the disk is full
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"refuses": cmdRefuses, "hides": cmdHides, "tiny": cmdTiny, "npy": cmdNPY, "truncate": cmdTruncate, "poke": cmdPoke, "swap": cmdSwap,
	"smalldisk": cmdSmallDisk, "ballast": cmdBallast,
}

func cmdRefuses(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[0], args[1:]...)
	exit := (*exec.ExitError)(nil)
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		ts.Fatalf("%s ended with %v, want status 1", args[0], err)
	}
	complaint := ""
	for line := range strings.Lines(ts.ReadFile("stderr")) {
		if strings.HasPrefix(line, "note: ") {
			continue
		}
		if complaint != "" || !strings.HasPrefix(line, "fedlam: ") {
			ts.Fatalf("the complaint is not one line: it goes on with %q", line)
		}
		complaint = line
	}
	if complaint == "" {
		ts.Fatalf("status 1 without a complaint")
	}
}

// anyNumber matches what could be a label or a coordinate.
var anyNumber = regexp.MustCompile(`\d+\.\d{2,}`)

func cmdHides(ts *testscript.TestScript, neg bool, args []string) {
	said := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	for _, path := range args {
		numbers := anyNumber.FindAllString(ts.ReadFile(path), -1)
		if len(numbers) == 0 {
			ts.Fatalf("%s holds no number to hide", path)
		}
		for _, n := range numbers {
			if strings.Contains(said, n) {
				ts.Fatalf("the program shows %s of %s", n, path)
			}
		}
	}
}

func cmdTiny(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range []string{"input.toml", "a.xyz"} {
		text, err := os.ReadFile(ts.Getenv("REPO") + "/cmd/fedlam/testdata/tiny/" + name)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(name), text, 0o644))
	}
}

func cmdNPY(ts *testscript.TestScript, neg bool, args []string) {
	frames, err := extxyz.ReadFile(ts.MkAbs(args[0]), nil)
	ts.Check(err)
	var raws []dataset.Raw
	for _, f := range frames {
		raw, err := (*dataset.Convention)(nil).Relabel(f)
		ts.Check(err)
		raws = append(raws, raw)
	}
	ts.Check(deepmd.Write(ts.MkAbs(args[1]), raws))
}

func cmdTruncate(ts *testscript.TestScript, neg bool, args []string) {
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if info.Size() <= size {
		ts.Fatalf("%s has %d bytes only", args[0], info.Size())
	}
	ts.Check(os.Truncate(ts.MkAbs(args[0]), size))
}

func cmdPoke(ts *testscript.TestScript, neg bool, args []string) {
	at, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	data := []byte(ts.ReadFile(args[0]))
	body := 10 + int(data[8]) + int(data[9])<<8 // npy version 1.0: magic, length, header
	binary.LittleEndian.PutUint64(data[body+8*int(at):], math.Float64bits(math.NaN()))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), data, 0o644))
}

func cmdSwap(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	text = strings.Replace(text, args[1], strings.ReplaceAll(args[2], `\n`, "\n"), 1)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

func cmdBallast(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	for range 1 << 20 { // not for ever, should the disk be a real one
		if _, err := f.Write(make([]byte, 1024)); err != nil {
			return
		}
	}
	ts.Fatalf("the disk is too large to be filled")
}
