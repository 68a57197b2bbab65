package doctor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/disk"
	"github.com/fedlam/fedlam/node/doctor"
	"github.com/fedlam/fedlam/node/wal"
)

func TestDisk(t *testing.T) {
	good := doctor.DiskFacts{Free: 100 << 30, Weights: 50 << 20, Members: 5, Write: 4 * time.Millisecond, Entries: 12}
	space := want{doctor.OK, "100.0 GiB free, enough for a model of 50.0 MiB and about 2032 rounds", ""}
	write := want{doctor.OK, "a small durable write takes 4ms", ""}
	log := want{doctor.OK, "all 12 entries of the log can be read", ""}
	for _, c := range []struct {
		name  string
		spoil func(f *doctor.DiskFacts)
		want  [3]want
	}{
		{"good", func(*doctor.DiskFacts) {}, [3]want{space, write, log}},
		{"no room", func(f *doctor.DiskFacts) { f.Free = 700 << 20 },
			[3]want{{doctor.Failed, "700.0 MiB free, and one round of a model of 50.0 MiB needs about 769.0 MiB", "free at least 69.0 MiB"}, write, log}},
		{"little room", func(f *doctor.DiskFacts) { f.Free = 2 << 30 }, [3]want{{doctor.Warning, "about 25 rounds", "make room"}, write, log}},
		{"model unknown", func(f *doctor.DiskFacts) { f.Weights = 0 }, [3]want{{doctor.OK, "the size of the model is unknown", ""}, write, log}},
		{"model unknown, no room", func(f *doctor.DiskFacts) { f.Weights, f.Free = 0, 1<<20 }, [3]want{{doctor.Failed, "1.0 MiB free", "free at least 68.0 MiB"}, write, log}},
		{"room unknown", func(f *doctor.DiskFacts) { f.FreeErr = errors.New("not on this system") },
			[3]want{{doctor.Skipped, "not on this system", ""}, write, log}},
		{"slow", func(f *doctor.DiskFacts) { f.Write = 1500 * time.Millisecond }, [3]want{space, {doctor.Warning, "takes 1.5s", "local disk"}, log}},
		{"full", func(f *doctor.DiskFacts) { f.WriteErr = fmt.Errorf("write: %w", disk.ErrFull) },
			[3]want{space, {doctor.Failed, "the disk is full", "nothing stored so far is lost"}, log}},
		{"not ours to write", func(f *doctor.DiskFacts) { f.WriteErr = errors.New("permission denied") },
			[3]want{space, {doctor.Failed, "permission denied", "right to write"}, log}},
		{"log empty", func(f *doctor.DiskFacts) { f.Entries = 0 }, [3]want{space, write, {doctor.OK, "has not taken part yet", ""}}},
		{"log in use", func(f *doctor.DiskFacts) { f.LogErr = fmt.Errorf("open: %w", wal.ErrBusy) },
			[3]want{space, write, {doctor.Skipped, "another process uses the log", "ps aux"}}},
		{"log of another", func(f *doctor.DiskFacts) { f.LogErr = wal.ErrForeign }, [3]want{space, write, {doctor.Failed, "another member or federation", "folder of its own"}}},
		{"log broken", func(f *doctor.DiskFacts) { f.LogErr = errors.New("invalid database") },
			[3]want{space, write, {doctor.Failed, "invalid database", "do not begin an empty log"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := good
			c.spoil(&f)
			check(t, doctor.Disk(f), c.want[:]...)
		})
	}
}
