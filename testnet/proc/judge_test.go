//go:build unix

package proc_test

import (
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/fedlam/fedlam/federation"
	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/node/home"
	"github.com/fedlam/fedlam/node/wal"
	"github.com/fedlam/fedlam/testnet/proc"
)

// judge holds a federation to what must be true whatever happened: every member that runs offers a release that `fedlam verify`
// accepts; all logs hold one history; no round has fewer members than decide; every sum is exactly what its members put in; and
// each fault cost one round at most. All processes are stopped.
func (f *cluster) judge(faults int) {
	f.Helper()
	for _, m := range f.members {
		if !m.isDead() {
			f.verify(m)
		}
	}
	for _, m := range f.members {
		m.process.Stop()
	}
	var longest []*ledger.Round
	var history []cid.Cid
	for _, m := range f.members {
		rounds, cids := f.chain(m)
		common := min(len(cids), len(history))
		if !slices.Equal(cids[:common], history[:common]) {
			f.Errorf("%s has another history than the members before it:\n%v\n%v", m.name, cids[:common], history[:common])
		}
		if len(cids) > len(history) {
			longest, history = rounds, cids
		}
	}
	if known := len(f.known); known > len(history) || !slices.Equal(f.known, history[:known]) {
		f.Errorf("after all had been killed, round %d does not follow what was certified before", known)
	}
	void := 0
	for _, r := range longest {
		if r.Kind == ledger.Void {
			void++
		}
		f.checkSums(r)
	}
	f.Logf("%d rounds, %d void, after %d faults", len(longest), void, faults)
	if void > faults {
		f.Errorf("%d rounds are void after %d faults", void, faults)
	}
}

// verify downloads what a member offers, as a stranger does, and proves it.
func (f *cluster) verify(m *member) {
	f.Helper()
	status := m.status()
	if status == nil || len(status.PublicAddresses) == 0 {
		f.Errorf("%s does not answer: %v", m.name, status)
		return
	}
	release := filepath.Join(f.dir, "releases", m.name)
	for _, args := range [][]string{
		{"pull", status.Weights, "--from", status.PublicAddresses[0], "--out", release},
		{"verify", release, "--genesis", f.genesis.CID().String()},
	} {
		if err := m.group.Run(f.Context(), proc.Command{Name: m.name + "-" + args[0], Path: m.program, Args: args}); err != nil {
			f.Error(err)
			return
		}
	}
}

// chain reads the certified rounds from the log of a member that is stopped, and checks every one. Proof against members must not be
// there, unless one was cloned.
func (f *cluster) chain(m *member) (rounds []*ledger.Round, cids []cid.Cid) {
	f.Helper()
	h, err := home.Open(m.dir)
	if err != nil {
		f.Fatal(err)
	}
	id := h.Signing.Public().(ed25519.PublicKey)
	log, err := wal.Open(wal.Config{Path: filepath.Join(m.dir, "data", "log.db"), Owner: slices.Concat(id, f.genesis.Epoch().Genesis.Bytes())})
	if err != nil {
		f.Fatal(err)
	}
	defer log.Close()
	err = log.Each([]byte(federation.LogPrefix+"evidence/"), func(key, _ []byte) error {
		if len(f.clones) == 0 {
			f.Errorf("%s has proof that a member contradicted itself: %s", m.name, key)
		}
		return nil
	})
	if err != nil {
		f.Fatal(err)
	}
	chain := ledger.NewChain(f.genesis)
	for {
		record, err := log.Get(federation.RecordKey(chain.Len()))
		if err != nil {
			f.Fatal(err)
		}
		certificate, err := log.Get(federation.CertificateKey(chain.Len()))
		if err != nil {
			f.Fatal(err)
		}
		if record == nil {
			return rounds, cids
		}
		r, _, err := chain.Append(ledger.Finished{Record: record, Certificate: certificate})
		if err != nil {
			f.Fatalf("%s, round %d: %v", m.name, chain.Len(), err)
		}
		rounds, cids = append(rounds, r), append(cids, chain.LastCID())
	}
}

// checkSums compares every sum of a round with what its members put in.
func (f *cluster) checkSums(r *ledger.Round) {
	f.Helper()
	for _, g := range r.Groups {
		if quorum := f.genesis.Epoch().Quorum(); g.Name == ledger.TrunkGroup && len(g.Survivors) < quorum {
			f.Errorf("round %d sums %d members, and %d decide", r.R, len(g.Survivors), quorum)
		}
		if !f.adds(g, nil, g.Survivors) {
			f.Errorf("round %d: the sum over %s is not what its members put in", r.R, g.Name)
		}
	}
}

// adds says whether the rest of the survivors, added to total, make the sum; of a member that was cloned either process counts.
func (f *cluster) adds(g ledger.Group, total []uint32, rest []uint64) bool {
	if len(rest) == 0 {
		return federation.AggregateRoot(total) == g.Aggregate
	}
	m := f.members[rest[0]]
	for _, who := range []*member{m, f.clones[m]} {
		if who == nil {
			continue
		}
		data, err := os.ReadFile(filepath.Join(who.witness(), hex.EncodeToString(g.Session[:])))
		if err != nil {
			continue
		}
		sum := make([]uint32, len(data)/4)
		copy(sum, total)
		for k := range sum {
			sum[k] += binary.LittleEndian.Uint32(data[4*k:]) // modulo 2^32, as the sum is
		}
		if f.adds(g, sum, rest[1:]) {
			return true
		}
	}
	return false
}
