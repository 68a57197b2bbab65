package home

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/fedlam/fedlam/dataset"
	"github.com/fedlam/fedlam/node/p2p"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// CardVersion is the version of the card's layout.
const CardVersion = 1

const (
	maxCard        = 1 << 20
	maxAddresses   = 64
	maxConventions = 64
)

// ErrCard is wrapped by every error about the contents of a card.
var ErrCard = errors.New("bad member card")

// Card is what a member gives to who starts the federation, as JSON.
type Card struct {
	Version int    `json:"fedlam_card"` // CardVersion
	Name    string `json:"name"`
	Member  string `json:"member"` // hex of the 32-byte Ed25519 key that checks the member's signatures
	Peer    string `json:"peer"`   // libp2p peer id
	// Addresses are multiaddresses of the member host, without /p2p/.
	Addresses []string `json:"addresses"`
	// Conventions are the label conventions of the member's data sets, each the class A fields as canonical JSON.
	Conventions []json.RawMessage `json:"conventions"`
}

// Card makes the node's card. It reads the convention files, not the data.
func (h *Home) Card() (Card, error) {
	id, err := p2p.ID(h.Identity.Public().(ed25519.PublicKey))
	if err != nil {
		return Card{}, err
	}
	c := Card{Version: CardVersion, Name: h.Config.Name, Peer: id.String(), Addresses: []string{}, Conventions: []json.RawMessage{},
		Member: hex.EncodeToString(h.Signing.Public().(ed25519.PublicKey))}
	if c.Addresses, err = h.announced(); err != nil {
		return Card{}, err
	}
	seen := map[string]bool{}
	for _, d := range h.Config.Data {
		convention, err := dataset.ReadConvention(h.Path(d.Convention))
		if err != nil {
			return Card{}, fmt.Errorf("make a card: %w", err)
		}
		identity, err := convention.Identity()
		if err != nil {
			return Card{}, fmt.Errorf("make a card: convention %q: %w", d.Convention, err)
		}
		if !seen[string(identity)] {
			seen[string(identity)] = true
			c.Conventions = append(c.Conventions, identity)
		}
	}
	return c, c.validate()
}

// announced returns the addresses for the card: what the owner says, or else every interface the node listens on.
func (h *Home) announced() ([]string, error) {
	if len(h.Config.Announce) > 0 {
		return h.Config.Announce, nil
	}
	var listen []ma.Multiaddr
	for _, text := range h.Config.Listen {
		a, err := ma.NewMultiaddr(text)
		if err != nil {
			return nil, fmt.Errorf("%w: listen address %q: %w; it should look like /ip4/0.0.0.0/tcp/4101", ErrConfig, text, err)
		}
		listen = append(listen, a)
	}
	interfaces, err := manet.InterfaceMultiaddrs()
	if err != nil {
		return nil, fmt.Errorf("list the network interfaces: %w; set announce in node.toml", err)
	}
	resolved, err := manet.ResolveUnspecifiedAddresses(listen, interfaces)
	if err != nil {
		return nil, fmt.Errorf("find the addresses of this computer: %w; set announce in node.toml", err)
	}
	var out []string
	for _, a := range resolved {
		if !manet.IsIPLoopback(a) || manet.IsIPLoopback(listen[0]) {
			out = append(out, a.String())
		}
	}
	return out, nil
}

// ReadCard reads a card file.
func ReadCard(path string) (Card, error) {
	f, err := os.Open(path)
	if err != nil {
		return Card{}, fmt.Errorf("read member card: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxCard+1))
	if err != nil {
		return Card{}, fmt.Errorf("read member card %q: %w", path, err)
	}
	c, err := ParseCard(text)
	if err != nil {
		return Card{}, fmt.Errorf("read member card %q: %w", path, err)
	}
	return c, nil
}

// ParseCard reads a card; it comes from somebody else and is checked field by field.
func ParseCard(text []byte) (Card, error) {
	var c Card
	if len(text) > maxCard {
		return c, fmt.Errorf("%w: larger than %d bytes", ErrCard, maxCard)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("%w: %w", ErrCard, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c, fmt.Errorf("%w: text after its end", ErrCard)
	}
	for i, convention := range c.Conventions {
		canonical, err := canonicalJSON(convention)
		if err != nil {
			return c, fmt.Errorf("%w: convention %d: %w", ErrCard, i+1, err)
		}
		c.Conventions[i] = canonical
	}
	return c, c.validate()
}

// canonicalJSON writes an object as dataset.Convention.Identity does, whatever blanks and order it came with: the head's
// key is the hash of these bytes.
func canonicalJSON(text []byte) ([]byte, error) {
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, err
	}
	if len(object) == 0 {
		return nil, errors.New("it is empty")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(object); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func (c Card) validate() error {
	switch {
	case c.Version != CardVersion:
		return fmt.Errorf("%w: version %d; this program reads %d", ErrCard, c.Version, CardVersion)
	case c.Name == "" || len(c.Name) > 100:
		return fmt.Errorf("%w: the name must have 1 to 100 bytes", ErrCard)
	case len(c.Addresses) > maxAddresses || len(c.Conventions) > maxConventions:
		return fmt.Errorf("%w: more than %d addresses or %d conventions", ErrCard, maxAddresses, maxConventions)
	}
	if key, err := hex.DecodeString(c.Member); err != nil || len(key) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: member is not the hex of a 32-byte key", ErrCard)
	}
	if _, err := peer.Decode(c.Peer); err != nil {
		return fmt.Errorf("%w: peer: %w", ErrCard, err)
	}
	for _, a := range c.Addresses {
		if _, err := ma.NewMultiaddr(a); err != nil {
			return fmt.Errorf("%w: address: %w", ErrCard, err)
		}
	}
	return nil
}

// Text returns the card as the JSON to give to others.
func (c Card) Text() ([]byte, error) {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write member card: %w", err)
	}
	return append(text, '\n'), nil
}
