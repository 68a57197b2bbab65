package home

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"
	"github.com/fedlam/fedlam/node/disk"
)

const (
	configFile   = "node.toml"
	identityFile = "identity.key"
	signingFile  = "signing.key"
	publicFile   = "public.key"
	genesisFile  = "genesis.cbor"
	epochFile    = "epoch.cbor"
	maxGenesis   = 16 << 20
)

// ErrExists refuses to make a node where there is one.
var ErrExists = errors.New("there is a node already: choose another folder, or go on with `fedlam node`")

// ErrNoGenesis says that the node has not joined a federation.
var ErrNoGenesis = errors.New("the node has not joined a federation: give its card to who starts one, then run `fedlam join`")

// Home is an open folder.
type Home struct {
	Dir    string
	Config Config
	// Identity, Signing and Public are the keys of the same names; never log or send them.
	Identity, Signing, Public ed25519.PrivateKey
}

// Create makes a node in dir, which is created; it must not hold a node yet. Keys come from random.
func Create(dir string, cfg Config, random io.Reader) (*Home, error) {
	written := cfg // what the owner chose, without defaults, goes into the file
	if err := cfg.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	path := filepath.Join(dir, configFile)
	if _, err := os.Stat(path); err == nil {
		return nil, fmt.Errorf("make a node in %q: %w", dir, ErrExists)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make a node: %w", disk.Explain(err))
	}
	h := &Home{Dir: dir, Config: cfg}
	for _, k := range h.keys() {
		key, err := newKey(filepath.Join(dir, k.file), random)
		if err != nil {
			return nil, fmt.Errorf("make a node in %q: %w", dir, err)
		}
		*k.key = key
	}
	// The configuration comes last: with it the folder is a node.
	text, err := written.text()
	if err != nil {
		return nil, err
	}
	if err := disk.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("make a node in %q: %w", dir, err)
	}
	return h, nil
}

type namedKey struct {
	file string
	key  *ed25519.PrivateKey
}

func (h *Home) keys() []namedKey {
	return []namedKey{{identityFile, &h.Identity}, {signingFile, &h.Signing}, {publicFile, &h.Public}}
}

// Open reads the node in dir.
func Open(dir string) (*Home, error) {
	cfg, err := ReadConfig(filepath.Join(dir, configFile))
	if err != nil {
		return nil, err
	}
	h := &Home{Dir: dir, Config: cfg}
	for _, k := range h.keys() {
		key, err := readKey(filepath.Join(dir, k.file))
		if err != nil {
			return nil, err
		}
		*k.key = key
	}
	return h, nil
}

// text writes a configuration for people to edit.
func (c Config) text() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("# One fedlam node. `fedlam node --help` explains the keys; one that is unknown is an error.\n\n")
	e := toml.NewEncoder(&b)
	e.Indent = ""
	if err := e.Encode(c); err != nil {
		return nil, fmt.Errorf("write node.toml: %w", err)
	}
	return b.Bytes(), nil
}

// Path returns a path given in node.toml, relative to the folder unless it is absolute.
func (h *Home) Path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(h.Dir, p)
}

// Data returns the path of a file or folder below data/ and makes the folder it is in.
func (h *Home) Data(elements ...string) (string, error) {
	path := filepath.Join(append([]string{h.Dir, "data"}, elements...)...)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", disk.Explain(err)
	}
	return path, nil
}

// Genesis returns the bytes of the genesis document, or ErrNoGenesis.
func (h *Home) Genesis() ([]byte, error) {
	return ReadGenesis(filepath.Join(h.Dir, genesisFile))
}

// ReadGenesis reads a genesis document of bounded size from a file; what it says is not checked.
func ReadGenesis(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read genesis %q: %w", path, ErrNoGenesis)
	}
	if err != nil {
		return nil, fmt.Errorf("read genesis: %w", disk.Explain(err))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxGenesis+1))
	if err != nil {
		return nil, fmt.Errorf("read genesis %q: %w", path, err)
	}
	if len(text) > maxGenesis {
		return nil, fmt.Errorf("read genesis %q: larger than %d bytes; this is no genesis document", path, maxGenesis)
	}
	return text, nil
}

// Epoch returns the document of the epoch with which the node is to join a federation that was there before, or nil.
func (h *Home) Epoch() ([]byte, error) {
	path := filepath.Join(h.Dir, epochFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	return ReadGenesis(path)
}

// PutEpoch stores the document of the epoch with which the node is to join, in place of an earlier one; nil changes nothing.
func (h *Home) PutEpoch(text []byte) error {
	if text == nil {
		return nil
	}
	return disk.WriteFile(filepath.Join(h.Dir, epochFile), text, 0o600)
}

// PutGenesis stores the genesis document. A node joins one federation in its life; the same document again is accepted.
func (h *Home) PutGenesis(text []byte) error {
	was, err := h.Genesis()
	if err == nil && !bytes.Equal(was, text) {
		return fmt.Errorf("node %q belongs to another federation already: make a new node for this one", h.Dir)
	}
	if err != nil && !errors.Is(err, ErrNoGenesis) {
		return err
	}
	return disk.WriteFile(filepath.Join(h.Dir, genesisFile), text, 0o600)
}
