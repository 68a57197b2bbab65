package home

import (
	"crypto/ed25519"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fedlam/fedlam/node/disk"
)

// Names of the key files that identify a member.
const (
	IdentityKey = identityFile
	SigningKey  = signingFile
)

// Key is a key file as it is found; it holds nothing secret.
type Key struct {
	File   string // name in the folder
	Path   string
	Mode   fs.FileMode // permission bits
	Public ed25519.PublicKey
	Err    error // why it cannot be used, whoever may read it
}

// InspectKeys looks at the key files of the node in dir, without the demands that Open makes.
func InspectKeys(dir string) []Key {
	var out []Key
	for _, named := range new(Home).keys() {
		k := Key{File: named.file, Path: filepath.Join(dir, named.file)}
		if err := k.inspect(); err != nil {
			k.Err = fmt.Errorf("key %q: %w", k.Path, err)
		}
		out = append(out, k)
	}
	return out
}

func (k *Key) inspect() error {
	info, err := os.Stat(k.Path)
	if err != nil {
		return disk.Explain(err)
	}
	k.Mode = info.Mode().Perm()
	text, err := os.ReadFile(k.Path)
	if err != nil {
		return disk.Explain(err)
	}
	key, err := parseKey(text)
	if err != nil {
		return err
	}
	k.Public = key.Public().(ed25519.PublicKey)
	return nil
}
