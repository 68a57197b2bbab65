package doctor

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/p2p"
)

// IdentityFacts are what the folder says about who the node is.
type IdentityFacts struct {
	// Dir is the folder, as the owner calls it.
	Dir string
	// Config is why node.toml could not be read; nil when it could.
	Config error
	// Keys are the key files.
	Keys []home.Key
	// Genesis is the federation; nil with GenesisErr when it could not be read.
	Genesis    *ledger.Genesis
	GenesisErr error
	// Documents tells for each founding document by name whether it is in the block store and has its hash.
	Documents map[string]error
}

// Identity checks that keys, genesis and founding documents are there and belong together.
func Identity(f IdentityFacts) []Finding {
	var out []Finding
	bad := func(text, next string) {
		out = append(out, Finding{Check: IdentityCheck, State: Failed, Text: text, Next: next})
	}
	if f.Config != nil {
		bad(f.Config.Error(), "correct node.toml; `fedlam node --help` explains its keys")
	}
	for _, k := range f.Keys {
		switch {
		case k.Err != nil:
			bad(k.Err.Error(), "restore "+k.File+" from your backup; without one, leave the federation and begin with a new `fedlam init`")
		case k.Mode&0o077 != 0:
			bad(fmt.Sprintf("others may read %s (mode %04o)", k.Path, k.Mode), fmt.Sprintf("run `chmod 600 %s`, and make a new node if somebody did read it", k.Path))
		}
	}
	switch {
	case errors.Is(f.GenesisErr, home.ErrNoGenesis):
		bad("the node has not joined a federation", "give its card (`fedlam init "+f.Dir+" --card`) to who starts one, then run `fedlam join`")
	case f.GenesisErr != nil:
		bad(f.GenesisErr.Error(), "put genesis.cbor of the founding folder back in its place")
	default:
		out = append(out, belongs(f)...)
	}
	if len(out) > 0 {
		return out
	}
	e := f.Genesis.Epoch()
	i := memberOf(e, f.Keys)
	if i < 0 {
		return []Finding{{Check: IdentityCheck, State: Skipped, Text: "there are no keys to look at"}}
	}
	return []Finding{{Check: IdentityCheck, State: OK, Text: fmt.Sprintf("this is %s in federation %q, genesis %s; keys are in place and only yours to read",
		plain(e.Members[i].Name), f.Genesis.Name, e.Genesis)}}
}

// belongs compares keys and documents with the genesis.
func belongs(f IdentityFacts) (out []Finding) {
	bad := func(text, next string) {
		out = append(out, Finding{Check: IdentityCheck, State: Failed, Text: text, Next: next})
	}
	e := f.Genesis.Epoch()
	if signing := keyOf(f.Keys, home.SigningKey); signing != nil {
		i := memberOf(e, f.Keys)
		if i < 0 {
			bad(fmt.Sprintf("signing.key belongs to member %x, whom the genesis %s does not list", []byte(signing), e.Genesis),
				"restore the key that your card was made with, or join the federation that lists this one")
		} else if identity := keyOf(f.Keys, home.IdentityKey); identity != nil {
			id, err := p2p.ID(identity)
			if err != nil || id.String() != e.Members[i].Peer {
				bad(fmt.Sprintf("identity.key belongs to peer %s, the genesis lists %s for %s", id, e.Members[i].Peer, plain(e.Members[i].Name)),
					"restore the key that your card was made with: the others refuse any other")
			}
		}
	}
	for _, name := range sortedNames(f.Documents) {
		if err := f.Documents[name]; err != nil {
			bad(fmt.Sprintf("%s of the federation is not whole in the folder: %v", name, err), "run `fedlam join "+f.Dir+" FOUNDING` again with the founding folder")
		}
	}
	return out
}

func keyOf(keys []home.Key, file string) ed25519.PublicKey {
	for _, k := range keys {
		if k.File == file && k.Err == nil {
			return k.Public
		}
	}
	return nil
}

// memberOf returns which member signs with the signing key, or -1.
func memberOf(e *ledger.Epoch, keys []home.Key) int {
	var id ledger.MemberID
	copy(id[:], keyOf(keys, home.SigningKey))
	return e.Index(id)
}
