package doctor

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

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
	// Epochs are the certified ones that the folder holds, by number, that of the genesis first; not empty when there is a genesis.
	Epochs []*ledger.Epoch
	// Joining is the epoch with which the node becomes a member, nil for one that was listed from the start; JoiningErr why it could not be
	// read.
	Joining    *ledger.Epoch
	JoiningErr error
	// Documents tells for each founding document by name whether it is in the block store and has its hash.
	Documents map[string]error
}

// Identity checks that keys, genesis and founding documents are there and belong together, and says whether the newest certified epoch
// lists this node.
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
	signing := keyOf(f.Keys, home.SigningKey)
	if signing == nil {
		return []Finding{{Check: IdentityCheck, State: Skipped, Text: "there are no keys to look at"}}
	}
	return []Finding{f.place(membershipOf(f.Epochs, f.Joining, memberID(signing)))}
}

// place says what the node is to the federation; only one that is listed takes part.
func (f IdentityFacts) place(m membership) Finding {
	name, reason := plain(m.entry.Name), ""
	if m.why != "" {
		reason = fmt.Sprintf(" (its reason: %q)", plain(m.why))
	}
	out := Finding{Check: IdentityCheck, State: Warning}
	switch m.place {
	case waiting:
		out.Text = fmt.Sprintf("this is %s, not a member of federation %q yet: it joins with epoch %d, and the newest certified one in this folder is epoch %d", name, f.Genesis.Name, m.since, m.epoch.K)
		out.Next = "let the node run: the epoch begins by itself once the owners of more than two thirds of the members have approved of it; who has, `fedlam epoch show` tells at theirs"
	case gone:
		out.Text = fmt.Sprintf("this was %s: no member of federation %q since epoch %d%s; the node only looks on", name, f.Genesis.Name, m.since, reason)
		out.Next = "nothing if that was meant: stop the node; else ask the owners of the members, any of whom can propose an epoch with your card"
	case replaced:
		out.Text = fmt.Sprintf("%s goes on under another key since epoch %d%s; this node only looks on", name, m.since, reason)
		out.Next = "run the node that has the new key, and stop this one"
	default:
		out.State = OK
		out.Text = fmt.Sprintf("this is %s in federation %q, genesis %s, epoch %d; keys are in place and only yours to read", name, f.Genesis.Name, m.epoch.Genesis, m.epoch.K)
	}
	return out
}

// belongs compares keys and documents with the genesis.
func belongs(f IdentityFacts) (out []Finding) {
	bad := func(text, next string) {
		out = append(out, Finding{Check: IdentityCheck, State: Failed, Text: text, Next: next})
	}
	if f.JoiningErr != nil || f.Joining != nil && !f.Joining.Genesis.Equals(f.Epochs[0].Genesis) {
		text := "the epoch in epoch.cbor belongs to another federation"
		if f.JoiningErr != nil {
			text = fmt.Sprintf("epoch.cbor cannot be read: %v", f.JoiningErr)
		}
		bad(text, f.joinAgain())
	} else if signing := keyOf(f.Keys, home.SigningKey); signing != nil {
		out = append(out, f.listing(membershipOf(f.Epochs, f.Joining, memberID(signing)))...)
	}
	for _, name := range sortedNames(f.Documents) {
		if err := f.Documents[name]; err != nil {
			bad(fmt.Sprintf("%s of the federation is not whole in the folder: %v", name, err), "run `fedlam join "+f.Dir+" FOUNDING` again with the founding folder")
		}
	}
	return out
}

// joinAgain says how to get a place in an epoch to come.
func (f IdentityFacts) joinAgain() string {
	return "have a member propose an epoch with your card, and run `fedlam join " + f.Dir + " FOUNDING --epoch DOCUMENT` with what it proposes"
}

// listing compares the keys with what the lists of members say of them.
func (f IdentityFacts) listing(m membership) (out []Finding) {
	bad := func(text, next string) {
		out = append(out, Finding{Check: IdentityCheck, State: Failed, Text: text, Next: next})
	}
	switch m.place {
	case stranger:
		bad(fmt.Sprintf("signing.key belongs to member %x, whom the genesis %s does not list, nor any epoch since", []byte(keyOf(f.Keys, home.SigningKey)), m.epoch.Genesis),
			"restore the key that your card was made with, or join the federation that lists this one")
	case passed:
		bad(fmt.Sprintf("the members decided epoch %d without %s, who was to join with it; the newest certified one in this folder is epoch %d", m.since, plain(m.entry.Name), m.epoch.K),
			f.joinAgain())
	case listed, waiting:
		identity := keyOf(f.Keys, home.IdentityKey)
		if identity == nil {
			return nil
		}
		list := listOf(m.epoch)
		if m.place == waiting {
			list = listOf(f.Joining)
		}
		if id, err := p2p.ID(identity); err != nil || !slices.Contains(m.peers, id.String()) {
			bad(fmt.Sprintf("identity.key belongs to peer %s, %s lists %s for %s", id, list, m.entry.Peer, plain(m.entry.Name)),
				"restore the key that your card was made with: the others refuse any other")
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
