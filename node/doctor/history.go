package doctor

import (
	"errors"
	"fmt"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/ipfs/go-cid"
)

// follow verifies the certified rounds that the log has gained since the last call, and holds the chain of all of them. After an error
// that is the chain of the rounds before; an empty log leaves that of the genesis.
func (s *Site) follow() error {
	if s.chain == nil {
		s.chain = ledger.NewChain(s.Genesis)
	}
	if s.LogErr != nil {
		return errors.New("your log cannot be read; see disk")
	}
	for {
		f, err := s.finished(s.chain.Len())
		if err != nil || f.Record == nil {
			return err
		}
		if _, _, err := s.chain.Append(f); err != nil {
			return fmt.Errorf("round %d of your log does not follow: %w", s.chain.Len(), err)
		}
	}
}

// epochs returns the certified epochs that the folder holds, by number, that of the genesis first. The error says why there may be more.
func (s *Site) epochs() ([]*ledger.Epoch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.follow()
	return s.chain.Epochs(), err
}

// standing says where this node is in the history, and which epochs it has come through, by number.
func (s *Site) standing() (Standing, []cid.Cid, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.follow()
	c := s.chain
	out := Standing{Genesis: c.Epoch.Genesis, Epoch: c.Epoch.CID(), Finished: c.Len(), Record: c.LastCID(), Weights: c.Weights(), Software: s.Software}
	var epochs []cid.Cid
	for _, e := range c.Epochs() {
		epochs = append(epochs, e.CID())
	}
	return out, epochs, err
}

// record returns the record of a certified round, or nil.
func (s *Site) record(round uint64) ([]byte, error) {
	f, err := s.finished(round)
	return f.Record, err
}

// finished returns a certified round; without a record when the log has none of that number.
func (s *Site) finished(round uint64) (f ledger.Finished, err error) {
	if s.Log == nil {
		return f, nil
	}
	defer recoverLog(&err)
	read := func(key []byte) (value []byte) {
		if err == nil {
			value, err = s.Log.Get(key)
		}
		return value
	}
	f = ledger.Finished{Record: read(federation.RecordKey(round)), Certificate: read(federation.CertificateKey(round)), Epoch: read(federation.EpochKey(round))}
	if err != nil || f.Record == nil || f.Certificate == nil {
		return ledger.Finished{}, err
	}
	return f, nil
}

// recoverLog turns the panic of a reader that meets spoiled pages into an error.
func recoverLog(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("its pages are spoiled: %v", r)
	}
}
