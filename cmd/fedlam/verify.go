package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/fedlam/fedlam/federation/ledger"
)

type verifyCmd struct {
	Dir     string `arg:"" help:"Release folder, as fedlam pull writes it."`
	Genesis string `required:"" xor:"trust" placeholder:"CID" help:"CID of the genesis, from somebody you trust."`
	Epoch   string `required:"" xor:"trust" placeholder:"CID" help:"Instead, CID of a list of members, say the newest: then keys of earlier members prove nothing beside it."`
	JSON    string `name:"json" placeholder:"F" help:"Write the outcome to this file as JSON; - for standard output."`
}

// Help is shown by `fedlam verify --help`.
func (verifyCmd) Help() string {
	return `Checks a release offline: from the genesis over every round record and its signatures to the bytes of every file. Ends with
status 0 only if every link holds and the folder holds nothing else; otherwise names the file that broke.

Example:
  fedlam verify release --genesis bafyreif4jkwjnznm6ttjidmgxnlzqqvfecfcnyy3ppqkmyzmvkzv6rctci --json outcome.json

The JSON is {"version":1,"ok":true,"federation":..,"genesis":CID,"epoch":CID,"round":n,"record":CID,"certificate":CID,
"weights":CID,"members":n,"signed":[names],"files":n}, or {"version":1,"ok":false,"broken":FILE,"error":TEXT}.`
}

// verifyOutput is the layout of the JSON; see Help.
type verifyOutput struct {
	Version     int      `json:"version"`
	OK          bool     `json:"ok"`
	Federation  string   `json:"federation,omitempty"`
	Genesis     string   `json:"genesis,omitempty"`
	Epoch       string   `json:"epoch,omitempty"`
	Round       *uint64  `json:"round,omitempty"`
	Record      string   `json:"record,omitempty"`
	Certificate string   `json:"certificate,omitempty"`
	Weights     string   `json:"weights,omitempty"`
	Members     int      `json:"members,omitempty"`
	Signed      []string `json:"signed,omitempty"`
	Files       int      `json:"files,omitempty"`
	Broken      string   `json:"broken,omitempty"`
	Error       string   `json:"error,omitempty"`
}

func (c *verifyCmd) Run() error {
	text, verify := c.Genesis, ledger.VerifyDir
	if c.Epoch != "" {
		text, verify = c.Epoch, ledger.VerifyDirFromEpoch
	}
	trusted, err := parseCID(text)
	if err != nil {
		return err
	}
	report, failed := verify(c.Dir, trusted)
	out := outcome(report)
	if failed != nil {
		out = verifyOutput{Version: 1, Error: failed.Error()}
		if broken := (*ledger.Broken)(nil); errors.As(failed, &broken) {
			out.Broken = broken.File
		}
	}
	if c.JSON != "" {
		if err := writeTo(c.JSON, func(w io.Writer) error { return json.NewEncoder(w).Encode(out) }); err != nil {
			return err
		}
	}
	if failed == nil && c.JSON != "-" {
		printReport(report)
	}
	return failed
}

func outcome(r ledger.Report) verifyOutput {
	return verifyOutput{Version: 1, OK: true, Federation: r.Federation, Genesis: r.Genesis.String(), Epoch: r.Epoch.String(), Round: &r.Round,
		Record: r.Record.String(), Certificate: r.Certificate.String(), Weights: r.Weights.String(), Members: r.Members, Signed: r.Signed, Files: r.Files}
}

func printReport(r ledger.Report) {
	fmt.Printf("federation %q, genesis %s\n", r.Federation, r.Genesis)
	fmt.Printf("round %d, record %s, certificate %s\n", r.Round, r.Record, r.Certificate)
	if r.K > 0 {
		fmt.Printf("epoch %d, %s\n", r.K, r.Epoch)
	}
	fmt.Printf("signed by %d of %d members: %s\n", len(r.Signed), r.Members, strings.Join(r.Signed, ", "))
	fmt.Printf("weights %s\n", r.Weights)
	fmt.Printf("every link holds, from the genesis to the bytes of %d files\n", r.Files)
}
