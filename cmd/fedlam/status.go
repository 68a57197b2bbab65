package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/node/transcript"
	"github.com/fedlam/fedlam/proto/localpb"
)

type statusCmd struct {
	Dir    string `arg:"" help:"Folder of the node."`
	JSON   string `name:"json" placeholder:"F" help:"Write the status to this file as JSON; - for standard output."`
	Follow bool   `short:"f" help:"Go on telling what happens, until Ctrl-C."`
	Stop   bool   `help:"Ask the node to stop gracefully."`
}

// Help is shown by `fedlam status --help`.
func (statusCmd) Help() string {
	return `Asks a running node where it stands.

Example:
  fedlam status lab --json -

The JSON is {"version":1,"name":..,"member":HEX,"genesis":CID,"finished":n,"record":CID,"certificate":CID,"weights":CID,
"activity":TEXT,"addresses":[..],"public_addresses":[..],"members":[{"name":..,"member":HEX,"connected":true}],
"heads":[{"key":..,"training_frames":n,"validation_frames":n}],"bytes_sent":n,"bytes_received":n,"uptime_seconds":x,
"transcripts":[{"round":n,"bytes":n}]}; finished counts certified rounds, so the newest has the number finished - 1.`
}

// statusOutput is the layout of the JSON; see Help.
type statusOutput struct {
	Version         int            `json:"version"`
	Name            string         `json:"name"`
	Member          string         `json:"member"`
	Genesis         string         `json:"genesis"`
	Finished        uint64         `json:"finished"`
	Record          string         `json:"record"`
	Certificate     string         `json:"certificate"`
	Weights         string         `json:"weights"`
	Activity        string         `json:"activity"`
	Addresses       []string       `json:"addresses"`
	PublicAddresses []string       `json:"public_addresses"`
	Members         []statusMember `json:"members"`
	Heads           []statusHead   `json:"heads"`
	BytesSent       uint64         `json:"bytes_sent"`
	BytesReceived   uint64         `json:"bytes_received"`
	Uptime          float64        `json:"uptime_seconds"`

	Transcripts []statusTranscript `json:"transcripts"`
}

type statusTranscript struct {
	Round uint64 `json:"round"`
	Bytes int64  `json:"bytes"`
}

type statusMember struct {
	Name      string `json:"name"`
	Member    string `json:"member"`
	Connected bool   `json:"connected"`
}

type statusHead struct {
	Key              string `json:"key"`
	TrainingFrames   uint64 `json:"training_frames"`
	ValidationFrames uint64 `json:"validation_frames"`
}

func (c *statusCmd) Run(ctx context.Context) error {
	client, err := local.Dial(c.Dir)
	if err != nil {
		return err
	}
	defer client.Close()
	if c.Stop {
		return client.Stop(ctx)
	}
	reply, err := client.Status(ctx)
	if err != nil {
		return err
	}
	kept, err := node.Transcripts(&home.Home{Dir: c.Dir})
	if err != nil {
		return err
	}
	list, err := kept.List()
	if err != nil {
		return err
	}
	if c.JSON != "" {
		if err := writeTo(c.JSON, func(w io.Writer) error { return json.NewEncoder(w).Encode(newStatusOutput(reply, list)) }); err != nil {
			return err
		}
	}
	if c.JSON != "-" {
		if err := printStatus(os.Stdout, reply, list); err != nil {
			return err
		}
	}
	if !c.Follow {
		return nil
	}
	if err := client.Follow(ctx, func() {}, printEvent); err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	return nil
}

func newStatusOutput(r *localpb.StatusReply, kept []transcript.Kept) statusOutput {
	out := statusOutput{Version: 1, Name: r.Name, Member: r.Member, Genesis: r.Genesis, Finished: r.Finished, Record: r.Record,
		Certificate: r.Certificate, Weights: r.Weights, Activity: r.Activity, Addresses: notNil(r.Addresses), PublicAddresses: notNil(r.PublicAddresses),
		Members: []statusMember{}, Heads: []statusHead{}, BytesSent: r.BytesSent, BytesReceived: r.BytesReceived, Uptime: r.Uptime, Transcripts: []statusTranscript{}}
	for _, k := range kept {
		out.Transcripts = append(out.Transcripts, statusTranscript(k))
	}
	for _, m := range r.Members {
		out.Members = append(out.Members, statusMember{m.Name, m.Member, m.Connected})
	}
	for _, h := range r.Heads {
		out.Heads = append(out.Heads, statusHead{h.Key, h.TrainingFrames, h.ValidationFrames})
	}
	return out
}

func notNil(list []string) []string { return append([]string{}, list...) }

func printStatus(w io.Writer, r *localpb.StatusReply, kept []transcript.Kept) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "node\t%s (%s...)\n", r.Name, r.Member[:min(12, len(r.Member))])
	fmt.Fprintf(t, "genesis\t%s\n", r.Genesis)
	fmt.Fprintf(t, "certified rounds\t%d\n", r.Finished)
	fmt.Fprintf(t, "weights\t%s\n", r.Weights)
	fmt.Fprintf(t, "now\t%s\n", r.Activity)
	for _, m := range r.Members {
		state := "away"
		if m.Connected {
			state = "connected"
		}
		fmt.Fprintf(t, "member\t%s, %s\n", m.Name, state)
	}
	for _, h := range r.Heads {
		fmt.Fprintf(t, "head\t%s, %d training and %d validation frames\n", h.Key, h.TrainingFrames, h.ValidationFrames)
	}
	for _, a := range r.Addresses {
		fmt.Fprintf(t, "address\t%s\n", a)
	}
	for _, a := range r.PublicAddresses {
		fmt.Fprintf(t, "public address\t%s\n", a)
	}
	fmt.Fprintf(t, "traffic\t%.1f MiB sent, %.1f MiB received\n", float64(r.BytesSent)/(1<<20), float64(r.BytesReceived)/(1<<20))
	if n := len(kept); n > 0 {
		var size int64
		for _, k := range kept {
			size += k.Bytes
		}
		fmt.Fprintf(t, "transcripts\t%d, of rounds %d to %d, %.1f MiB\n", n, kept[0].Round, kept[n-1].Round, float64(size)/(1<<20))
	}
	return t.Flush()
}

func printEvent(e *localpb.ProgressEvent) error {
	var details strings.Builder
	for _, key := range slices.Sorted(maps.Keys(e.Details)) {
		fmt.Fprintf(&details, " %s=%s", key, e.Details[key])
	}
	_, err := fmt.Printf("%s %s %s%s\n", time.Unix(0, e.Time).Format(time.TimeOnly), strings.ToLower(e.Level), e.Message, details.String())
	return err
}
