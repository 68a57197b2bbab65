package bench

import (
	"bufio"
	"os"
	"runtime"
	"strings"

	"github.com/fedlam/fedlam/kernels"
)

// A Machine says what the numbers were measured on.
type Machine struct {
	CPU      string `json:"cpu"`      // model, "unknown" where the system does not tell
	Cores    int    `json:"cores"`    // processors that Go may use
	Kernels  string `json:"kernels"`  // instruction set of the kernels
	Compiled bool   `json:"compiled"` // elementwise formulas are machine code
	Go       string `json:"go"`       // version
	System   string `json:"system"`   // operating system and architecture
}

// ThisMachine describes the machine that the process runs on.
func ThisMachine() Machine {
	return Machine{cpuModel(), runtime.GOMAXPROCS(0), kernels.Path(), kernels.Compiles(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
}

// cpuModel reads the name of the processor where Linux tells it.
func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
