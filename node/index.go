package node

import (
	"fmt"
	"sync"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/public"
	"github.com/fedlam/fedlam/node/wal"
	"github.com/fedlam/fedlam/proto/peerpb"
	"github.com/ipfs/go-cid"
)

// index knows which round each public artefact belongs to.
type index struct {
	mu      sync.Mutex
	rounds  []*peerpb.Head  // by number
	of      map[cid.Cid]int // record, certificate, weights -> newest round that has it
	genesis cid.Cid
}

// openIndex reads the certified rounds of the log.
func openIndex(log *wal.Log, genesis cid.Cid) (*index, error) {
	x := &index{of: map[cid.Cid]int{}, genesis: genesis}
	for round := uint64(0); ; round++ {
		record, err := log.Get(federation.RecordKey(round))
		if err != nil {
			return nil, err
		}
		certificate, err := log.Get(federation.CertificateKey(round))
		if err != nil {
			return nil, err
		}
		if record == nil || certificate == nil {
			return x, nil
		}
		if err := x.add(round, record, certificate); err != nil {
			return nil, err
		}
	}
}

// add enters the next certified round; entering one again, with another certificate perhaps, replaces it.
func (x *index) add(round uint64, record, certificate []byte) error {
	r, err := ledger.DecodeRound(record)
	if err != nil {
		return fmt.Errorf("index round %d: %w", round, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if round > uint64(len(x.rounds)) {
		return fmt.Errorf("index round %d: round %d is not there yet", round, len(x.rounds))
	}
	recordCID, certificateCID := ledger.CIDOf(record), ledger.CIDOf(certificate)
	head := &peerpb.Head{Finished: round + 1, Record: recordCID.Bytes(), Certificate: certificateCID.Bytes(), Weights: r.WeightsOut.Bytes()}
	if r.Next.Defined() {
		head.Epoch = r.Next.Bytes()
	}
	x.rounds = append(x.rounds[:round], head)
	for _, c := range []cid.Cid{recordCID, certificateCID, r.WeightsOut} {
		x.of[c] = int(round)
	}
	return nil
}

// Find implements public.Finder.
func (x *index) Find(artefact []byte) (*peerpb.FindReply, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	reply := &peerpb.FindReply{Genesis: x.genesis.Bytes()}
	last := len(x.rounds) - 1
	if len(artefact) > 0 {
		c, err := cid.Cast(artefact)
		if err != nil {
			return nil, err
		}
		at, known := x.of[c]
		if !known {
			return reply, nil
		}
		last = at
	}
	reply.Rounds = append(reply.Rounds, x.rounds[:last+1]...)
	return reply, nil
}

var _ public.Finder = (*index)(nil)
