package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// unpack writes the files of a test script to a new folder.
func unpack(t *testing.T, script string) string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", "script", script))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := txtar.Write(a, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// canceller presses Ctrl-C when the program prints a word.
type canceller struct {
	bytes.Buffer
	word   string
	cancel func()
}

func (c *canceller) Write(p []byte) (int, error) {
	if strings.Contains(string(p), c.word) {
		c.cancel()
	}
	return c.Buffer.Write(p)
}

// TestTrainInterrupted presses Ctrl-C after step 5, resumes, and compares with an undisturbed run.
func TestTrainInterrupted(t *testing.T) {
	session := func(dir string) *trainSession {
		plan, err := readTrainInput(filepath.Join(dir, "run", "input.toml"))
		if err != nil {
			t.Fatal(err)
		}
		plan.saveFreq = 1000 // nothing but the interruption saves
		return &trainSession{plan: plan, out: &bytes.Buffer{}}
	}
	whole, parts := unpack(t, "train.txtar"), unpack(t, "train.txtar")
	s := session(whole)
	if err := s.start(false); err != nil {
		t.Fatal(err)
	}
	if err := s.run(context.Background()); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s = session(parts)
	s.out = &canceller{word: "step 5 ", cancel: cancel}
	if err := s.start(false); err != nil {
		t.Fatal(err)
	}
	if err := s.run(ctx); !errors.Is(err, errInterrupted) || !strings.Contains(err.Error(), "after step 5 of 10") {
		t.Fatalf("got %v, want an interruption after step 5", err)
	}
	s = session(parts)
	if err := s.start(true); err != nil {
		t.Fatal(err)
	}
	if err := s.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"model.ckpt-10/model.safetensors", "model.ckpt-10/optimizer.safetensors", "model.ckpt-10/state.json", "lcurve.out"} {
		a, err1 := os.ReadFile(filepath.Join(whole, "run", name))
		b, err2 := os.ReadFile(filepath.Join(parts, "run", name))
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs after an interruption", name)
		}
	}
}

// TestInterruptedBeforeTheFirstStep can be resumed, too.
func TestInterruptedBeforeTheFirstStep(t *testing.T) {
	dir := unpack(t, "train.txtar")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, resume := range []bool{false, true} {
		plan, err := readTrainInput(filepath.Join(dir, "run", "input.toml"))
		if err != nil {
			t.Fatal(err)
		}
		s := &trainSession{plan: plan, out: &bytes.Buffer{}}
		if err := s.start(resume); err != nil {
			t.Fatal(err)
		}
		if err := s.run(ctx); !errors.Is(err, errInterrupted) {
			t.Fatalf("got %v, want an interruption", err)
		}
	}
}

// TestTrainSavesWhenTheCurveCannotBeWritten takes the learning curve away; the steps done are not lost.
func TestTrainSavesWhenTheCurveCannotBeWritten(t *testing.T) {
	dir := unpack(t, "train.txtar")
	plan, err := readTrainInput(filepath.Join(dir, "run", "input.toml"))
	if err != nil {
		t.Fatal(err)
	}
	plan.dispFreq, plan.saveFreq = 3, 1000
	s := &trainSession{plan: plan, out: &bytes.Buffer{}}
	if err := s.start(false); err != nil {
		t.Fatal(err)
	}
	if err := s.curve.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.run(context.Background()); err == nil || !strings.Contains(err.Error(), "saved after step 1: mend this, then continue with --resume") {
		t.Fatalf("got %v, want a complaint that says what is saved", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "run", "model.ckpt-1", "state.json")); err != nil {
		t.Error(err)
	}
}
