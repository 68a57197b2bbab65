package hardware

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fedlam/fedlam/kernels/cuda"
	"github.com/fedlam/fedlam/kernels/cuda/cudatest"
)

func TestChoice(t *testing.T) {
	for text, ok := range map[string]bool{
		"": true, "auto": true, "cpu": true, "cuda": true, "cuda:0": true, "cuda:11": true, "cuda:0,1": true,
		"gpu": false, "cuda:": false, "cuda:-1": false, "cuda:x": false, "CUDA": false, "cpu:1": false, "cuda:0,0": false, "cuda:0,": false, "cuda:0,x": false,
	} {
		c := Choice("before")
		err := c.UnmarshalText([]byte(text))
		if (err == nil) != ok || ok != (c == Choice(text)) {
			t.Errorf("%q: %v, choice %q", text, err, c)
		}
	}
}

// TestWithoutDriver has no driver where it is looked for: asked for by name that is an error, else one line.
func TestWithoutDriver(t *testing.T) {
	t.Setenv(LibraryVariable, filepath.Join(t.TempDir(), "libcuda.so.1"))
	for _, c := range []Choice{"cuda", "cuda:1"} {
		if _, err := c.Open(1); !errors.Is(err, cuda.ErrNoDriver) || !strings.Contains(err.Error(), string(c)) {
			t.Errorf("%s: %v", c, err)
		}
	}
	for _, c := range []Choice{"", "auto", "cpu"} {
		p, err := c.Open(3)
		if err != nil {
			t.Fatal(err)
		}
		if p.Device != nil || p.Threads != 3 || !strings.Contains(p.Notice, "processor, 3 threads") || strings.Contains(p.Notice, "NVIDIA") != (c != CPU) {
			t.Errorf("%q: %+v", c, p)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := Choice("tpu").Open(1); err == nil {
		t.Error("an unknown device was opened")
	}
}

// TestWithDriver opens the fake.
func TestWithDriver(t *testing.T) {
	t.Setenv(LibraryVariable, cudatest.Library(t))
	for _, c := range []Choice{"auto", "cuda", "cuda:0"} {
		p, err := c.Open(1)
		if err != nil {
			t.Fatal(err)
		}
		if p.Device == nil || !strings.Contains(p.Notice, p.Device.Info().Name) {
			t.Errorf("%s: %+v", c, p)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	both, err := Choice("cuda:1,0").Open(1)
	if err != nil || len(both.More) != 1 || both.Device == both.More[0] || !strings.Contains(both.Notice, " and ") {
		t.Errorf("two GPUs: %+v, %v", both, err)
	}
	if err := both.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Choice("cuda:0,7").Open(1); err == nil {
		t.Error("a second GPU that is not there")
	}
	p, err := CPU.Open(1)
	if err != nil || p.Device != nil {
		t.Errorf("cpu: %+v, %v", p, err)
	}
	if _, err := Choice("cuda:7").Open(1); err == nil || !strings.Contains(err.Error(), "nvidia-smi") {
		t.Errorf("a GPU that is not there: %v", err)
	}
}
