package doctor

import (
	"errors"
	"fmt"
	"time"

	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/wal"
)

// DiskFacts describe the disk that the node's folder is on.
type DiskFacts struct {
	// Free are the bytes that the node may still write, unless FreeErr says why that is unknown.
	Free    uint64
	FreeErr error
	// Weights is the size of the weights file in bytes; 0 when unknown.
	Weights int64
	// Members of the federation.
	Members int
	// Write is how long a small durable write took, unless WriteErr says why it failed.
	Write    time.Duration
	WriteErr error
	// Entries were read from the log, unless LogErr says why not.
	Entries int
	LogErr  error
}

const (
	slowWrite    = time.Second
	roundsToWarn = 100
)

// need estimates the bytes that a node must be able to write to take part in a round: local state with two moments for each
// weight in double precision, beside its predecessor while it is replaced; certified weights; the messages of each member in the
// log, and some room for the log itself.
func (f DiskFacts) need() uint64 { return uint64(f.Weights)*14 + uint64(f.Members)<<20 + 64<<20 }

// Disk checks that the folder can be written, quickly, with room for what is to come, and that the log can be read.
func Disk(f DiskFacts) []Finding {
	return []Finding{space(f), write(f), log(f)}
}

// space counts also the weights of the rounds to come, for a node keeps all of them.
func space(f DiskFacts) Finding {
	out := Finding{Check: DiskCheck, State: OK}
	switch {
	case f.FreeErr != nil:
		out.State = Skipped
		out.Text = fmt.Sprintf("how much room is left is unknown: %v", f.FreeErr)
		return out
	case f.Weights == 0:
		out.Text = fmt.Sprintf("%s free; the size of the model is unknown", size(f.Free))
		if f.Free < f.need() {
			out.State = Failed
			out.Next = fmt.Sprintf("free at least %s, or move the node's folder to a larger disk", size(f.need()-f.Free))
		}
		return out
	}
	if f.Free < f.need() {
		out.State = Failed
		out.Text = fmt.Sprintf("%s free, and one round of a model of %s needs about %s", size(f.Free), size(uint64(f.Weights)), size(f.need()))
		out.Next = fmt.Sprintf("free at least %s, or stop the node and move its folder to a larger disk", size(f.need()-f.Free))
		return out
	}
	rounds := (f.Free - f.need()) / uint64(f.Weights)
	out.Text = fmt.Sprintf("%s free, enough for a model of %s and about %d rounds, whose weights are kept", size(f.Free), size(uint64(f.Weights)), rounds)
	if rounds < roundsToWarn {
		out.State = Warning
		out.Next = "make room before the rounds need it: a node whose disk is full stops, and loses nothing"
	}
	return out
}

func write(f DiskFacts) Finding {
	switch {
	case errors.Is(f.WriteErr, disk.ErrFull):
		return Finding{Check: DiskCheck, State: Failed, Text: "the folder cannot be written: the disk is full", Next: "free some space; nothing stored so far is lost"}
	case f.WriteErr != nil:
		return Finding{Check: DiskCheck, State: Failed, Text: fmt.Sprintf("the folder cannot be written: %v", f.WriteErr),
			Next: "give the user who runs fedlam the right to write there, on a disk that is not read-only"}
	case f.Write > slowWrite:
		return Finding{Check: DiskCheck, State: Warning, Text: fmt.Sprintf("a small durable write takes %s", f.Write.Round(time.Millisecond)),
			Next: "move the node's folder to a local disk (not a network share), or find out what else keeps the disk busy: a member that is slow to write makes the others wait"}
	}
	return Finding{Check: DiskCheck, State: OK, Text: fmt.Sprintf("a small durable write takes %s", f.Write.Round(100*time.Microsecond))}
}

func log(f DiskFacts) Finding {
	switch {
	case errors.Is(f.LogErr, wal.ErrBusy):
		return Finding{Check: DiskCheck, State: Skipped, Text: "another process uses the log, and is no node that can be asked",
			Next: "wait until the node has started or ended, or find the process with `ps aux | grep fedlam`"}
	case errors.Is(f.LogErr, wal.ErrForeign):
		return Finding{Check: DiskCheck, State: Failed, Text: "the log belongs to another member or federation", Next: "give each node a folder of its own; put back the log that belongs here"}
	case f.LogErr != nil:
		return Finding{Check: DiskCheck, State: Failed, Text: fmt.Sprintf("the log cannot be read: %v", f.LogErr),
			Next: "keep a copy of data/log.db and restore the newest backup of the whole folder; do not begin an empty log under the same keys, for it would not know what the node has promised"}
	case f.Entries == 0:
		return Finding{Check: DiskCheck, State: OK, Text: "the log is empty: the node has not taken part yet"}
	}
	return Finding{Check: DiskCheck, State: OK, Text: fmt.Sprintf("all %d entries of the log can be read", f.Entries)}
}

// size writes bytes for people.
func size(n uint64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
}
