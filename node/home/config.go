package home

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/fedlam/fedlam/training/hardware"
)

// Config is node.toml. Paths may be relative to the folder of the node.
type Config struct {
	// Name is for people; at most 100 bytes.
	Name string `toml:"name"`
	// Listen are the multiaddresses for members. Default: QUIC and TCP on port 4101 of every interface.
	Listen []string `toml:"listen"`
	// Announce are the multiaddresses written on the card, where they differ from Listen: a public name, a forwarded port.
	Announce []string `toml:"announce"`
	Network  Network  `toml:"network,omitempty"`
	Public   Public   `toml:"public"`
	Data     []Data   `toml:"data"`
	Training Training `toml:"training"`
	Policy   Policy   `toml:"policy"`

	Transcripts Transcripts `toml:"transcripts"`
}

// Network is for federations with members that cannot be called from outside.
type Network struct {
	// Relay carries the connections between such members through this node, which everybody can reach. What it carries is
	// encrypted between the two ends. Default off.
	Relay bool `toml:"relay"`
	// NAT says that this node is behind a NAT or firewall: it keeps a place at the members that are relays. Default off.
	NAT bool `toml:"nat"`
}

// Public is the reading side, open to anyone.
type Public struct {
	// Enabled turns it on; default off.
	Enabled bool `toml:"enabled"`
	// Listen are its multiaddresses. Default: QUIC and TCP on port 4102 of every interface.
	Listen []string `toml:"listen"`
}

// Data is one set of labelled frames and the convention of its labels.
type Data struct {
	// Path is what `fedlam test` takes as FRAMES: extended XYZ, a DeePMD system, a folder of systems, with an optional
	// range.
	Path string `toml:"path"`
	// Convention is the file of the label convention (JSON).
	Convention string `toml:"convention"`
}

// Training are the owner's choices about local work.
type Training struct {
	// Threads used for training; 0 means all cores.
	Threads int `toml:"threads"`
	// Device is where training runs: "auto" (default), a GPU if there is one, "cpu", "cuda" or "cuda:N".
	Device hardware.Choice `toml:"device,omitempty"`
	// Precision is "float32" or "float64"; default: what the federation's recipe says.
	Precision string `toml:"precision"`
	// BatchSize as in DeePMD-kit: "auto", "4", "max:64"; default: what the federation's recipe says.
	BatchSize string `toml:"batch_size"`
	// ValidationFraction of the frames is held back; default 0.1.
	ValidationFraction *float64 `toml:"validation_fraction"`
	// Seed of the split and of the order of frames.
	Seed uint64 `toml:"seed"`
}

// Policy is what the owner demands whatever the federation's rules say.
type Policy struct {
	// MinCohort is the smallest number of members in a sum; default 5. Fewer than 5 let colluding members learn much
	// about the others, 2 everything.
	MinCohort int `toml:"min_cohort"`
	// Rounds ends the node's work after that many certified rounds; 0 means never.
	Rounds uint64 `toml:"rounds"`
}

// Transcripts are the signed messages of finished rounds, for `fedlam replay`. They hold masked updates and sealed shares, which a
// node otherwise forgets when the round is certified.
type Transcripts struct {
	// Keep is how many of the newest rounds are kept; default 0.
	Keep int `toml:"keep"`
}

// ErrConfig is wrapped by every error about the contents of node.toml.
var ErrConfig = errors.New("bad node.toml")

// ReadConfig reads and completes a node.toml. A key it does not know is an error.
func ReadConfig(path string) (Config, error) {
	var c Config
	meta, err := toml.DecodeFile(path, &c)
	if errors.Is(err, os.ErrNotExist) {
		return c, fmt.Errorf("there is no node in %q: make one with `fedlam init %s`", filepath.Dir(path), filepath.Dir(path))
	}
	if err != nil {
		return c, fmt.Errorf("%w: read %q: %w", ErrConfig, path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return c, fmt.Errorf("%w: %q has a key that means nothing: %s; correct its spelling or remove it", ErrConfig, path, unknown[0])
	}
	if err := c.validate(); err != nil {
		return c, fmt.Errorf("%w: %q: %w", ErrConfig, path, err)
	}
	return c, nil
}

// validate fills defaults and refuses nonsense.
func (c *Config) validate() error {
	if c.Name == "" || len(c.Name) > 100 || strings.ContainsFunc(c.Name, func(r rune) bool { return r < ' ' }) {
		return errors.New("name must have 1 to 100 printable characters")
	}
	if len(c.Listen) == 0 {
		c.Listen = []string{"/ip4/0.0.0.0/udp/4101/quic-v1", "/ip4/0.0.0.0/tcp/4101"}
	}
	if len(c.Public.Listen) == 0 {
		c.Public.Listen = []string{"/ip4/0.0.0.0/udp/4102/quic-v1", "/ip4/0.0.0.0/tcp/4102"}
	}
	if c.Network.Relay && c.Network.NAT {
		return errors.New("network.relay and network.nat are both true; a node behind a NAT cannot be a relay, so set one to false")
	}
	for i, d := range c.Data {
		if d.Path == "" || d.Convention == "" {
			return fmt.Errorf("data set %d needs both path and convention", i+1)
		}
	}
	if err := c.Training.validate(); err != nil {
		return err
	}
	if c.Transcripts.Keep < 0 {
		return fmt.Errorf("transcripts.keep is %d; it is the number of rounds whose messages are kept, 0 for none", c.Transcripts.Keep)
	}
	if c.Policy.MinCohort == 0 {
		c.Policy.MinCohort = 5
	}
	if c.Policy.MinCohort < 2 {
		return fmt.Errorf("policy.min_cohort is %d; a sum of one member's values would be those values, so at least 2", c.Policy.MinCohort)
	}
	return nil
}

func (t *Training) validate() error {
	if t.ValidationFraction == nil {
		tenth := 0.1
		t.ValidationFraction = &tenth
	}
	if f := *t.ValidationFraction; !(f >= 0 && f <= 0.5) {
		return fmt.Errorf("training.validation_fraction is %g; it must be between 0 and 0.5", f)
	}
	switch t.Precision {
	case "", "float32", "float64":
	default:
		return fmt.Errorf("training.precision is %q; choose float32 or float64", t.Precision)
	}
	if t.Threads < 0 {
		return fmt.Errorf("training.threads is %d; 0 means all cores", t.Threads)
	}
	return nil
}
