package sim

import (
	"bytes"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node"
	"github.com/fedlam/fedlam/node/wal"
)

// TestNodes runs complete nodes, with their logs and block stores on the disk, over QUIC on a simulated network in virtual
// time. The first one is cut off when it has computed its masked update of round 2, for so long that every connection is given
// up. The others recover its secrets and go on to the end; after the heal it gets what it missed. The audit that
// watches simulated members then looks at the logs.
func TestNodes(t *testing.T) {
	const n, rounds = 4, 6
	dirs := make([]string, n)
	for i := range dirs {
		dirs[i] = filepath.Join(t.TempDir(), "node")
	}
	var w *World
	var sites []*site
	var mu sync.Mutex // of the audit, to which all nodes talk
	synctest.Test(t, func(t *testing.T) {
		wire := newWire(20*time.Millisecond, 20)
		w, sites = found(t, dirs, rounds)
		defer wire.Close()
		for i, s := range sites {
			s.start(t, wire, func(c federation.Contribution) {
				mu.Lock()
				w.audit.contributed(w.processes[i], c)
				mu.Unlock()
				if i == 0 && c.Round == 2 {
					wire.cut(0)
				}
			})
			defer s.stop(t)
		}
		for _, s := range sites[1:] {
			s.waitFor(t, node.MsgDone, 5*time.Minute)
		}
		time.Sleep(time.Minute)
		if got := sites[0].count(node.MsgCertified); got != 2 {
			t.Errorf("the node that is cut off has %d rounds, want 2", got)
		}
		wire.heal()
		sites[0].waitFor(t, node.MsgDone, 5*time.Minute)
		time.Sleep(10 * time.Second) // the trainer takes over the last weights
	})
	for i, s := range sites {
		w.readLog(t, i, filepath.Join(s.home.Dir, "data", "log.db"))
		if !bytes.Equal(s.trainer.installed, sites[1].trainer.installed) {
			t.Errorf("%s ended with other weights than the others", s.home.Config.Name)
		}
	}
	w.audit.final()
	if err := w.outcome().Err(); err != nil {
		t.Error(err)
	}
	if got, want := w.outcome().Kinds, []string{"setup", "train", "train", "train", "train", "train"}; !slices.Equal(got, want) || w.audit.sums < rounds {
		t.Errorf("rounds %v with %d sums looked at, want %v", got, w.audit.sums, want)
	}
	record, err := ledger.DecodeRound(w.processes[3].disk[string(federation.RecordKey(2))])
	if err != nil || !slices.Equal(record.Groups[0].Survivors, []uint64{1, 2, 3}) {
		t.Errorf("round 2 sums members %v, %v; want all but the first", record.Groups[0].Survivors, err)
	}
}

// readLog takes over what a node has written down.
func (w *World) readLog(t *testing.T, member int, path string) {
	t.Helper()
	id := w.genesis.Members[member].ID
	log, err := wal.Open(wal.Config{Path: path, Owner: slices.Concat(id[:], w.genesis.CID().Bytes())})
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	p := federation.Persist{}
	err = log.Each([]byte(federation.LogPrefix), func(key, value []byte) error {
		p.Set = append(p.Set, federation.Entry{Key: bytes.Clone(key), Value: value})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	w.persist(w.processes[member], p)
}
