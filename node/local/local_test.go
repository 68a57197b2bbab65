package local_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/node/local"
	"github.com/fedlam/fedlam/proto/localpb"
)

type source struct{ stopped chan struct{} }

func (source) Epoch() *localpb.EpochReply { return &localpb.EpochReply{RipeAt: 10} }

func (source) Approve(_ context.Context, document []byte) error {
	if string(document) != "good" {
		return errors.New("the epoch may not follow")
	}
	return nil
}

func (source) Status() *localpb.StatusReply {
	return &localpb.StatusReply{Name: "water lab", Finished: 7}
}
func (s source) Stop() { close(s.stopped) }

func serve(t *testing.T, dir string, s source) (*local.Server, *local.Client) {
	t.Helper()
	server, err := local.Serve(dir, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := local.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return server, client
}

func TestAskAndStop(t *testing.T) {
	deep := filepath.Join(t.TempDir(), strings.Repeat("a-long-name/", 12))
	for name, dir := range map[string]string{"short path": t.TempDir(), "path too long for a socket": deep} {
		t.Run(name, func(t *testing.T) {
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			t.Setenv("TMPDIR", t.TempDir())
			s := source{make(chan struct{})}
			_, client := serve(t, dir, s)
			got, err := client.Status(t.Context())
			if err != nil || got.Finished != 7 {
				t.Fatalf("Status = %v, %v", got, err)
			}
			if err := client.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-s.stopped
			path, err := local.Path(dir)
			if err != nil {
				t.Fatal(err)
			}
			info, err := os.Stat(path)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("socket mode %v, %v; want 0600", info.Mode(), err)
			}
		})
	}
}

func TestNotRunning(t *testing.T) {
	dir := t.TempDir()
	server, err := local.Serve(dir, source{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := local.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	following := make(chan error, 1)
	if err := client.Follow(t.Context(), func() {
		following <- server.Close()
	}, func(*localpb.ProgressEvent) error { return nil }); err != nil {
		t.Errorf("Follow to the end of the node: %v", err)
	}
	if err := <-following; err != nil {
		t.Fatal(err)
	}
	if _, err := client.Status(t.Context()); !errors.Is(err, local.ErrNotRunning) {
		t.Errorf("after Close: %v, want ErrNotRunning", err)
	}
}

func TestSocketOfKilledNodeIsReplaced(t *testing.T) {
	dir := t.TempDir()
	path, err := local.Path(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, client := serve(t, dir, source{})
	if _, err := client.Status(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestFollow(t *testing.T) {
	server, client := serve(t, t.TempDir(), source{})
	server.Publish(&localpb.ProgressEvent{Message: "before"})
	var got []string
	done := errors.New("enough")
	err := client.Follow(t.Context(), func() {
		for i := range 3 {
			server.Publish(&localpb.ProgressEvent{Message: fmt.Sprint(i)})
		}
	}, func(e *localpb.ProgressEvent) error {
		if got = append(got, e.Message); len(got) == 3 {
			return done
		}
		return nil
	})
	if !errors.Is(err, done) || strings.Join(got, " ") != "0 1 2" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestPublishNeverBlocks(t *testing.T) {
	server, client := serve(t, t.TempDir(), source{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	last := ""
	err := client.Follow(ctx, func() {
		for i := range 100_000 { // far more than any buffer on the way holds
			server.Publish(&localpb.ProgressEvent{Message: fmt.Sprint(i)})
		}
	}, func(e *localpb.ProgressEvent) error {
		if last = e.Message; last == "99999" {
			return errors.New("the newest arrived")
		}
		return nil
	})
	if last != "99999" {
		t.Errorf("last event is %q, %v", last, err)
	}
}

func TestEpochAndApprove(t *testing.T) {
	_, client := serve(t, t.TempDir(), source{})
	reply, err := client.Epoch(t.Context())
	if err != nil || reply.RipeAt != 10 {
		t.Errorf("got %v, %v", reply, err)
	}
	if err := client.Approve(t.Context(), []byte("good")); err != nil {
		t.Error(err)
	}
	if err := client.Approve(t.Context(), []byte("bad")); err == nil || err.Error() != "the epoch may not follow" {
		t.Errorf("a bad one: %v", err)
	}
}
