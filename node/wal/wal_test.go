package wal_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fedlam/fedlam/node/wal"
)

func open(t *testing.T, path string) *wal.Log {
	t.Helper()
	l, err := wal.Open(wal.Config{Path: path, Owner: []byte("me")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func entry(key, value string) wal.Entry { return wal.Entry{Key: []byte(key), Value: []byte(value)} }

func dump(t *testing.T, l *wal.Log, prefix string) string {
	t.Helper()
	var out []string
	if err := l.Each([]byte(prefix), func(k, v []byte) error {
		out = append(out, fmt.Sprintf("%s=%s", k, v))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func TestCommit(t *testing.T) {
	for _, c := range []struct {
		name    string
		batches []wal.Batch
		err     error // of the last batch
		want    string
	}{
		{"promise", []wal.Batch{{Once: []wal.Entry{entry("a", "1")}}}, nil, "a=1"},
		{"promise repeated", []wal.Batch{{Once: []wal.Entry{entry("a", "1")}}, {Once: []wal.Entry{entry("a", "1"), entry("b", "2")}}}, nil, "a=1 b=2"},
		{"promise broken", []wal.Batch{{Once: []wal.Entry{entry("a", "1")}}, {Once: []wal.Entry{entry("b", "2"), entry("a", "3")}}}, wal.ErrConflict, "a=1"},
		{"promise broken in one batch", []wal.Batch{{Once: []wal.Entry{entry("a", "1"), entry("a", "2")}}}, wal.ErrConflict, ""},
		{"empty promise broken", []wal.Batch{{Once: []wal.Entry{entry("a", "")}}, {Once: []wal.Entry{entry("a", "1")}}}, wal.ErrConflict, "a="},
		{"state moves", []wal.Batch{{Set: []wal.Entry{entry("a", "1")}}, {Set: []wal.Entry{entry("a", "2")}}}, nil, "a=2"},
		{"deleted", []wal.Batch{{Set: []wal.Entry{entry("a", "1"), entry("b", "1")}}, {Delete: [][]byte{[]byte("a"), []byte("z")}}}, nil, "b=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			l := open(t, path)
			var err error
			for _, b := range c.batches {
				err = l.Commit(b)
			}
			if !errors.Is(err, c.err) {
				t.Errorf("Commit: %v, want %v", err, c.err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if got := dump(t, open(t, path), ""); got != c.want {
				t.Errorf("after reopening: %q, want %q", got, c.want)
			}
		})
	}
}

func TestGetAndPrefix(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "log"))
	if err := l.Commit(wal.Batch{Set: []wal.Entry{entry("b2", "y"), entry("a", "w"), entry("b1", "x"), entry("c", "z")}}); err != nil {
		t.Fatal(err)
	}
	if got := dump(t, l, "b"); got != "b1=x b2=y" {
		t.Errorf("Each b: %q", got)
	}
	if v, err := l.Get([]byte("c")); string(v) != "z" || err != nil {
		t.Errorf("Get c = %q, %v", v, err)
	}
	if v, err := l.Get([]byte("d")); v != nil || err != nil {
		t.Errorf("Get d = %q, %v; want nil", v, err)
	}
	stop := errors.New("stop")
	if err := l.Each(nil, func(_, _ []byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("Each: %v, want the visitor's error", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l := open(t, path)
	if _, err := wal.Open(wal.Config{Path: path, Owner: []byte("me"), Patience: time.Millisecond}); !errors.Is(err, wal.ErrBusy) {
		t.Errorf("second process: %v, want ErrBusy", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := wal.Open(wal.Config{Path: path, Owner: []byte("someone else")}); !errors.Is(err, wal.ErrForeign) {
		t.Errorf("other owner: %v, want ErrForeign", err)
	}
	rubbish := filepath.Join(t.TempDir(), "rubbish")
	if err := os.WriteFile(rubbish, []byte(strings.Repeat("not a log ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wal.Open(wal.Config{Path: rubbish}); err == nil {
		t.Error("opened rubbish")
	}
}

// TestMain lets the test binary be the process that TestKilled kills.
func TestMain(m *testing.M) {
	if path := os.Getenv("WAL_TEST_WRITE"); path != "" {
		writeUntilKilled(path)
	}
	os.Exit(m.Run())
}

// writeUntilKilled commits numbered entries and prints each number after Commit returned.
func writeUntilKilled(path string) {
	l, err := wal.Open(wal.Config{Path: path, Owner: []byte("me")})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	last, err := l.Get([]byte("last"))
	if err != nil {
		os.Exit(1)
	}
	n := 0
	fmt.Sscan(string(last), &n)
	for n++; ; n++ {
		value := fmt.Sprint(n, strings.Repeat("x", n%5000))
		if err := l.Commit(wal.Batch{Once: []wal.Entry{entry(fmt.Sprintf("n%06d", n), value)}, Set: []wal.Entry{entry("last", fmt.Sprint(n))}}); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

func TestKilledProcessLosesNothingItHadCommitted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	acknowledged := 0
	for range 8 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "WAL_TEST_WRITE="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		killAt := acknowledged + 1 + rand.IntN(60)
		for lines.Scan() {
			fmt.Sscan(lines.Text(), &acknowledged)
			if acknowledged == killAt {
				cmd.Process.Kill() // it goes on committing until the signal lands
			}
		}
		cmd.Wait()
		l := open(t, path)
		for n := 1; n <= acknowledged; n++ {
			v, err := l.Get(fmt.Appendf(nil, "n%06d", n))
			if err != nil || !strings.HasPrefix(string(v), fmt.Sprint(n)) || len(v) != len(fmt.Sprint(n))+n%5000 {
				t.Fatalf("entry %d of %d acknowledged is %d bytes, %v", n, acknowledged, len(v), err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if acknowledged < 8 {
		t.Errorf("only %d entries were written; the test saw too little", acknowledged)
	}
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	me := wal.Config{Path: path, Owner: []byte("me"), Patience: time.Millisecond}
	if _, err := wal.OpenReadOnly(me); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a log that does not exist: %v", err)
	}
	l := open(t, path)
	if err := l.Commit(wal.Batch{Once: []wal.Entry{entry("a", "1")}}); err != nil {
		t.Fatal(err)
	}
	if _, err := wal.OpenReadOnly(me); !errors.Is(err, wal.ErrBusy) {
		t.Errorf("while another has it open: %v, want ErrBusy", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	reader, err := wal.OpenReadOnly(me)
	if err != nil {
		t.Fatal(err)
	}
	if got := dump(t, reader, ""); got != "a=1" {
		t.Errorf("read %q", got)
	}
	second, err := wal.OpenReadOnly(me)
	if err != nil {
		t.Fatalf("two readers: %v", err)
	}
	defer second.Close()
	if err := reader.Commit(wal.Batch{Set: []wal.Entry{entry("b", "2")}}); err == nil {
		t.Error("a log that is only looked at was written")
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("looking at the log changed it (%v)", err)
	}
	if _, err := wal.OpenReadOnly(wal.Config{Path: path, Owner: []byte("you")}); !errors.Is(err, wal.ErrForeign) {
		t.Errorf("the log of another: %v", err)
	}
	if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := wal.OpenReadOnly(me); err == nil {
		t.Error("rubbish was opened")
	}
}
