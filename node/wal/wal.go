// Package wal is a node's durable log: what must be known again after the power went off in the middle of a round.
//
// A Log holds entries, key and value, in one bbolt file. Commit writes a Batch completely or not at all and returns only
// when it is on the disk, so that a node may commit "I am about to send these bytes" and then send them. Two kinds of
// entry are told apart, because they protect differently:
//
//   - Once: a promise. The same key with the same value is accepted again; with another value the whole batch is refused
//     with ErrConflict. Masked inputs, released shares and votes are promises: whatever bug or copied disk makes the node
//     say something else under the same session, the log does not let it.
//   - Set: a state that moves on, such as the newest certified round or the local optimizer's step.
//
// A process that is killed at any moment loses at most a Commit that had not returned. When the disk is full Commit
// fails with disk.ErrFull, the log keeps what it had, and the same Commit succeeds when there is room again. One process
// at a time has the file open.
package wal

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/fedlam/fedlam/node/disk"
	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

var (
	// ErrConflict refuses to replace a promise.
	ErrConflict = errors.New("the log holds another value under this key: the node has already promised something else")
	// ErrBusy says that another process has the log open.
	ErrBusy = errors.New("another fedlam process uses this node's folder: stop it first")
	// ErrForeign says that the log belongs to another member or federation.
	ErrForeign = errors.New("the log belongs to another member or federation: give each its own folder")
)

const layout = "fedlam/wal/1"

var (
	metaBucket  = []byte("meta")
	entryBucket = []byte("entries")
	layoutKey   = []byte("layout")
	ownerKey    = []byte("owner")
)

// Config describes a Log.
type Config struct {
	// Path is the file; its folder must exist.
	Path string
	// Owner names the member and the federation whose log this is.
	Owner []byte
	// Patience is how long Open waits for another process to let go; default 1 s.
	Patience time.Duration
}

// Log is an open log. It is safe for concurrent use.
type Log struct {
	db   *bbolt.DB
	path string
}

// Open opens the log at cfg.Path, or begins one.
func Open(cfg Config) (*Log, error) {
	return open(cfg, bbolt.Options{FreelistType: bbolt.FreelistMapType}, func(db *bbolt.DB) error {
		return disk.Explain(db.Update(func(tx *bbolt.Tx) error { return begin(tx, cfg.Owner) }))
	})
}

// OpenReadOnly opens a log that exists, to look at it: nothing is written, and Commit fails. ErrBusy says that another process writes to
// it. Pages that the disk spoiled may make reading panic.
func OpenReadOnly(cfg Config) (*Log, error) {
	return open(cfg, bbolt.Options{ReadOnly: true}, func(db *bbolt.DB) error {
		return db.View(func(tx *bbolt.Tx) error { return check(tx, cfg.Owner) })
	})
}

// open opens the file, and has head look at what it is.
func open(cfg Config, options bbolt.Options, head func(*bbolt.DB) error) (*Log, error) {
	if options.Timeout = cfg.Patience; options.Timeout <= 0 {
		options.Timeout = time.Second
	}
	db, err := bbolt.Open(cfg.Path, 0o600, &options)
	if errors.Is(err, bolterrors.ErrTimeout) {
		err = ErrBusy
	}
	if err != nil {
		return nil, fmt.Errorf("open log %q: %w", cfg.Path, disk.Explain(err))
	}
	if err := head(db); err != nil {
		return nil, fmt.Errorf("open log %q: %w", cfg.Path, errors.Join(err, db.Close()))
	}
	return &Log{db, cfg.Path}, nil
}

// check is begin for a log that is there.
func check(tx *bbolt.Tx, owner []byte) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil || tx.Bucket(entryBucket) == nil {
		return errors.New("it is not a log of this program")
	}
	return checkHead(meta, owner)
}

// begin writes the head of a new log, or checks that of an old one.
func begin(tx *bbolt.Tx, owner []byte) error {
	meta, err := tx.CreateBucketIfNotExists(metaBucket)
	if err != nil {
		return err
	}
	if _, err := tx.CreateBucketIfNotExists(entryBucket); err != nil {
		return err
	}
	if meta.Get(layoutKey) == nil {
		return errors.Join(meta.Put(layoutKey, []byte(layout)), meta.Put(ownerKey, owner))
	}
	return checkHead(meta, owner)
}

func checkHead(meta *bbolt.Bucket, owner []byte) error {
	switch was := meta.Get(layoutKey); {
	case string(was) != layout:
		return fmt.Errorf("layout %q; this program reads %q", was, layout)
	case !bytes.Equal(meta.Get(ownerKey), owner):
		return ErrForeign
	}
	return nil
}

// Close lets go of the file.
func (l *Log) Close() error { return l.db.Close() }

// Entry is a key and its value. Keys are at most 32 KiB long and not empty.
type Entry struct{ Key, Value []byte }

// Batch is what one Commit writes.
type Batch struct {
	Once   []Entry  // promises
	Set    []Entry  // states
	Delete [][]byte // keys that are of no use any more; promises only when their session can never come back
}

// Commit makes a batch durable. After an error nothing of it is in the log.
func (l *Log) Commit(b Batch) error {
	err := l.db.Update(func(tx *bbolt.Tx) error { return write(tx.Bucket(entryBucket), b) })
	if err != nil {
		return fmt.Errorf("write log %q: %w", l.path, disk.Explain(err))
	}
	return nil
}

func write(entries *bbolt.Bucket, b Batch) error {
	for _, e := range b.Once {
		was := entries.Get(e.Key)
		if was == nil {
			if err := entries.Put(e.Key, e.Value); err != nil {
				return err
			}
		} else if !bytes.Equal(was, e.Value) {
			return fmt.Errorf("%w: %q", ErrConflict, e.Key)
		}
	}
	for _, e := range b.Set {
		if err := entries.Put(e.Key, e.Value); err != nil {
			return err
		}
	}
	for _, key := range b.Delete {
		if err := entries.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// Get returns a copy of a value, or nil when there is none.
func (l *Log) Get(key []byte) ([]byte, error) {
	var value []byte
	err := l.db.View(func(tx *bbolt.Tx) error {
		value = bytes.Clone(tx.Bucket(entryBucket).Get(key))
		return nil
	})
	return value, err
}

// Each calls visit for the entries whose key begins with prefix, in the order of their keys, until it returns an error.
// The slices are valid during the call only.
func (l *Log) Each(prefix []byte, visit func(key, value []byte) error) error {
	return l.db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket(entryBucket).Cursor()
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			if err := visit(k, v); err != nil {
				return err
			}
		}
		return nil
	})
}
