// Package fedlam_test holds the tests that concern the whole module.
package fedlam_test

import (
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/fedlam/fedlam"

// forbidden states who may not import whom, and why. It is policy: an edge is taken out of this table by a
// decision in docs/decisions, not to make a build pass. A name ending in "/..." means everything below it.
var forbidden = []struct{ from, to, because string }{
	{"kernels/...", "training/...", "numbers on slices know nothing of models"},
	{"kernels/...", "dataset/...", "numbers on slices know nothing of data"},
	{"kernels/...", "federation/...", "numbers on slices know nothing of the protocol"},
	{"kernels/...", "node/...", "numbers on slices know nothing of the network"},
	{"kernels/...", "proto/...", "numbers on slices know nothing of the wire"},
	{"dataset/...", "kernels/...", "data exist before models do"},
	{"dataset/...", "training/...", "data exist before models do"},
	{"dataset/...", "federation/...", "a private frame must not be reachable from protocol code by accident"},
	{"dataset/...", "node/...", "readers never touch the network"},
	{"dataset/...", "proto/...", "frames have no wire form"},
	{"training/...", "federation/...", "training runs without a federation"},
	{"training/...", "node/...", "training runs without a network"},
	{"training/...", "proto/...", "training has no wire form"},
	{"training/graph/...", "training/dpa2/...", "the graph knows nothing of DPA-2, so that other models fit on it"},
	{"training/graph/...", "dataset/...", "the graph knows nothing of atoms"},
	{"training/neighbor/...", "training/graph/...", "geometry is plain numbers"},
	{"federation/...", "node/...", "the round is a pure state machine: no sockets, clocks or disks"},
	{"federation/...", "dataset/...", "the protocol never holds a frame"},
	{"federation/secagg/...", "federation/ledger/...", "masking is independent of how records are written"},
	{"proto/...", "node/...", "the wire is below the edge"},
	{"proto/...", "federation/...", "the wire carries opaque signed bytes"},
	{"node/...", "testnet/...", "a node does not know that it is tested"},
	{"...", "cmd/...", "nothing imports a command"},

	{"federation/...", "github.com/libp2p/...", "libp2p appears only under node and testnet"},
	{"training/...", "github.com/libp2p/...", "libp2p appears only under node and testnet"},
	{"dataset/...", "github.com/libp2p/...", "libp2p appears only under node and testnet"},
	{"federation/...", "google.golang.org/grpc/...", "gRPC appears only under node, proto and testnet"},
	{"training/...", "google.golang.org/grpc/...", "gRPC appears only under node, proto and testnet"},
	{"federation/...", "github.com/ipfs/boxo/...", "boxo appears only under node and testnet"},
	{"training/...", "github.com/ipfs/boxo/...", "boxo appears only under node and testnet"},
	{"cmd/...", "github.com/ipfs/boxo/...", "verbs call node, which owns the block store"},
	{"training/...", "unsafe", "unsafe appears only under kernels"},
	{"federation/...", "unsafe", "unsafe appears only under kernels"},
	{"dataset/...", "unsafe", "unsafe appears only under kernels"},
	{"node/...", "unsafe", "unsafe appears only under kernels"},
	{"kernels", "github.com/ebitengine/purego/...", "purego, which loads libraries, appears only under kernels/cuda"},
	{"kernels/kerneltest/...", "github.com/ebitengine/purego/...", "purego appears only under kernels/cuda"},
	{"training/...", "github.com/ebitengine/purego/...", "purego appears only under kernels/cuda"},
	{"federation/...", "github.com/ebitengine/purego/...", "purego appears only under kernels/cuda"},
	{"dataset/...", "github.com/ebitengine/purego/...", "purego appears only under kernels/cuda"},
	{"node/...", "github.com/ebitengine/purego/...", "purego appears only under kernels/cuda"},
	{"proto/...", "github.com/ebitengine/purego/...", "purego appears only under kernels/cuda"},
	{"cmd/...", "github.com/ebitengine/purego/...", "purego appears only under kernels/cuda"},
	{"testnet/...", "github.com/ebitengine/purego/...", "purego appears only under kernels/cuda"},
	{"federation", "net", "the round is a pure state machine"},
	{"federation", "os", "the round is a pure state machine"},
	{"federation/secagg", "net", "secure aggregation is pure"},
	{"federation/secagg", "os", "secure aggregation is pure"},
	{"federation/secagg", "crypto/rand", "secrets come in as parameters, so that every fault can be replayed"},
	{"federation/secagg", "math/rand", "masks come from AES-CTR, never from a statistical generator"},
	{"federation/sketch", "net", "the audit is pure"},
	{"federation/sketch", "os", "the audit is pure"},
	{"federation/sketch", "crypto/rand", "the functionals follow from a public seed"},
	{"federation/sketch", "math/rand", "the functionals come from AES-CTR"},
	{"federation/sketch", "github.com/fedlam/fedlam/federation/secagg/...", "the audit judges by public messages alone"},
	{"federation/robust", "net", "rules over sums are pure"},
	{"federation/robust", "os", "rules over sums are pure"},
	{"federation/robust", "math/rand", "groups follow from a public seed"},
	{"federation", "math/rand", "masks and votes never depend on a statistical generator"},
}

func TestImportDirections(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{range .Imports}}{{$.ImportPath}} {{.}}{{"\n"}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	edges := 0
	for line := range strings.Lines(string(out)) {
		from, to, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		edges++
		for _, rule := range forbidden {
			if covers(rule.from, from) && covers(rule.to, to) {
				t.Errorf("%s must not import %s: %s", from, to, rule.because)
			}
		}
	}
	if edges < 60 {
		t.Errorf("go list printed only %d imports; the check saw too little", edges)
	}
}

// covers reports whether pattern, a module-relative or a full import path, names path. Generated protobuf code under
// proto uses unsafe and is not listed above.
func covers(pattern, path string) bool {
	if rel, ok := strings.CutPrefix(path, module+"/"); ok {
		path = rel
	}
	base, deep := strings.CutSuffix(pattern, "/...")
	switch {
	case pattern == "...":
		return true
	case deep:
		return path == base || strings.HasPrefix(path, base+"/")
	}
	return path == base
}

func TestCovers(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"federation", module + "/federation", true},
		{"federation", module + "/federation/secagg", false},
		{"federation/...", module + "/federation/secagg", true},
		{"federation/...", module + "/federationx", false},
		{"github.com/libp2p/...", "github.com/libp2p/go-libp2p/core/peer", true},
		{"net", "net/http", false},
		{"...", module + "/node", true},
	} {
		if got := covers(c.pattern, c.path); got != c.want {
			t.Errorf("covers(%q, %q) = %v, want %v", c.pattern, c.path, got, c.want)
		}
	}
}
