package roundbench

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	for _, o := range []Options{{Members: 5, Parameters: 70_001}, {Members: 7, Parameters: 1000, Bits: 32, Dropped: 2}, {Members: 8, Parameters: 140_000, Dropped: 2}} {
		r, err := Run(context.Background(), o)
		if err != nil {
			t.Errorf("%+v: %v", o, err)
			continue
		}
		if least := float64(r.Bits) / 8; r.UploadPerParameter <= least || r.Mask <= 0 || r.Open <= 0 || r.Round < r.Secure {
			t.Errorf("%+v: %+v", o, r)
		}
		r.AddTraining(0.05, 100)
		var b bytes.Buffer
		if err := r.Print(&b); err != nil || !strings.Contains(b.String(), "bytes per parameter") || !strings.Contains(b.String(), "100 local steps") {
			t.Errorf("%s%v", b.String(), err)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for _, o := range []Options{{Members: 3}, {Members: 300}, {Parameters: -1}, {Bits: 8}, {Members: 9, Dropped: 3}} {
		if _, err := Run(context.Background(), o); err == nil {
			t.Errorf("%+v: accepted", o)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Options{Members: 4, Parameters: 10}); err == nil {
		t.Error("a cancelled run goes on")
	}
}

func TestVerify(t *testing.T) {
	r, err := Verify(context.Background(), 200_000, 7, 3, 2)
	if err != nil || r.Min <= 0 || r.Median < r.Min || r.Max < r.Median {
		t.Fatalf("%+v, %v", r, err)
	}
	var b bytes.Buffer
	if err := r.Print(&b); err != nil || !strings.Contains(b.String(), "3 rounds certified by 7 members") {
		t.Errorf("%s%v", b.String(), err)
	}
	if _, err := Verify(context.Background(), 0, 7, 3, 2); err == nil {
		t.Error("no parameters are accepted")
	}
}
