package local_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// Doctor tells its timeout, and then waits until it is called off if that is a minute.
func (source) Doctor(ctx context.Context, timeout time.Duration, tell func(*localpb.DoctorEvent)) {
	tell(&localpb.DoctorEvent{Event: &localpb.DoctorEvent_Begins{Begins: timeout.String()}})
	if timeout == time.Minute {
		<-ctx.Done()
	}
}

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

func TestDoctor(t *testing.T) {
	_, client := serve(t, t.TempDir(), source{})
	var got []string
	take := func(e *localpb.DoctorEvent) error {
		got = append(got, e.GetBegins())
		return nil
	}
	if err := client.Doctor(t.Context(), 3*time.Second, take); err != nil || fmt.Sprint(got) != "[3s]" {
		t.Errorf("got %v, %v", got, err)
	}
	if err := client.Doctor(t.Context(), -time.Second, take); err == nil || !strings.Contains(err.Error(), "want 0 to 600 s") {
		t.Errorf("a negative timeout: %v", err)
	}
	enough := errors.New("enough")
	if err := client.Doctor(t.Context(), time.Minute, func(*localpb.DoctorEvent) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("got %v, want the error of visit", err)
	}
}

// healthy is a local.Source that cannot examine itself.
type healthy struct{}

func (healthy) Status() *localpb.StatusReply { return &localpb.StatusReply{} }
func (healthy) Stop()                        {}
func (healthy) Epoch() *localpb.EpochReply   { return &localpb.EpochReply{} }
func (healthy) Approve(context.Context, []byte) error {
	return nil
}

func TestDoctorOfWhoCannotBeExamined(t *testing.T) {
	dir := t.TempDir()
	server, err := local.Serve(dir, healthy{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := local.Dial(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Doctor(t.Context(), 0, func(*localpb.DoctorEvent) error { return nil }); err == nil || !strings.Contains(err.Error(), "cannot examine itself") {
		t.Errorf("got %v", err)
	}
}

func TestDoctorEndsWithTheNode(t *testing.T) {
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
	closed := make(chan error, 1)
	err = client.Doctor(t.Context(), time.Minute, func(*localpb.DoctorEvent) error {
		go func() { closed <- server.Close() }()
		return nil
	})
	if err == nil {
		t.Error("an examination that the node's end cut off counts as complete")
	}
	if err := <-closed; err != nil {
		t.Error(err)
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
