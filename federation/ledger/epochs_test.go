package ledger

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
)

// history is a chain that a test makes longer, with its documents.
type history struct {
	t     *testing.T
	chain *Chain
	done  []Finished
	keys  []int // of the members, by index
}

func newHistory(t *testing.T, members int) *history {
	h := &history{t: t, chain: NewChain(testGenesis(members))}
	for i := range members {
		h.keys = append(h.keys, i)
	}
	return h
}

// sign certifies a record with the keys of a quorum of the epoch in force.
func (h *history) sign(r *Round, epoch *Epoch) Finished {
	f := Finished{Record: r.Encode()}
	var signatures []Signature
	for i := range h.chain.Epoch.Quorum() {
		signatures = append(signatures, Sign(testKey(h.keys[i]), i, 0, r.CID()))
	}
	f.Certificate = NewCertificate(r.CID(), 0, signatures).Encode()
	if epoch != nil {
		f.Epoch = epoch.Encode()
	}
	return f
}

func (h *history) append(r *Round, epoch *Epoch) error {
	f := h.sign(r, epoch)
	_, _, err := h.chain.Append(f)
	if err == nil {
		h.done = append(h.done, f)
	}
	return err
}

// next is a round with a quorum in every sum.
func (h *history) next() *Round {
	r := nextRecord(h.chain)
	r.Groups[0].Survivors = nil
	for i := range h.chain.Epoch.Quorum() {
		r.Groups[0].Survivors = append(r.Groups[0].Survivors, uint64(i))
	}
	r.Groups[1].Survivors = r.Groups[0].Survivors
	return r
}

// rounds certifies some.
func (h *history) rounds(n int) {
	h.t.Helper()
	for range n {
		if err := h.append(h.next(), nil); err != nil {
			h.t.Fatal(err)
		}
	}
}

// enter begins an epoch; keys are those of its members.
func (h *history) enter(next *Epoch, keys ...int) {
	h.t.Helper()
	if err := h.append(h.chain.NextEpoch(next.CID()), next); err != nil {
		h.t.Fatal(err)
	}
	h.keys = keys
}

func (h *history) release() *Release {
	r := &Release{Genesis: h.chain.Genesis.Encode(), Config: testConfig, Conventions: testConventions, Rounds: h.done}
	for k := -1; r.Weights == nil; k++ {
		if w := testWeights(k); FileCID(w).Equals(h.chain.Weights()) {
			r.Weights = w
		}
	}
	return r
}

// threeEpochs joins member 9 and lets member 4 go, then gives member 0 the keys of 8.
func threeEpochs(t *testing.T) *history {
	h := newHistory(t, 5)
	h.rounds(10)
	next := follow(h.chain.Epoch)
	drop(next, 4)
	next.Members, next.Reason = append(next.Members, testMember(9)), "member 4 has moved on"
	h.enter(next, 0, 1, 2, 3, 9)
	h.rounds(10)
	next = follow(h.chain.Epoch)
	rotate(next, 0, 8)
	h.enter(next, 8, 1, 2, 3, 9)
	h.rounds(1)
	return h
}

func TestChainOverEpochs(t *testing.T) {
	h := threeEpochs(t)
	c := h.chain
	if c.Epoch.K != 2 || c.Len() != 23 || c.Ripe() || c.RipeAt() != 32 || len(c.Epochs()) != 3 {
		t.Errorf("epoch %d after %d rounds, ripe %v from round %d; want 2 after 23 and not before 32", c.Epoch.K, c.Len(), c.Ripe(), c.RipeAt())
	}
	for round, want := range map[uint64]uint64{0: 0, 10: 0, 11: 1, 21: 1, 22: 2, 99: 2} {
		if got := c.EpochOf(round).K; got != want {
			t.Errorf("round %d is of epoch %d, want %d", round, got, want)
		}
	}
	if got := c.Elements(); !slices.Equal(got, []uint64{4, 3}) { // member 4 was not in the sum of the setup round
		t.Errorf("elements are counted %v", got)
	}
	old := h.keys
	h.keys = []int{0, 1, 2, 3, 9}
	if err := h.append(h.next(), nil); err == nil {
		t.Error("the key that was given up still signs")
	}
	h.keys = []int{0, 1, 2, 3, 4}
	if err := h.append(h.next(), nil); err == nil {
		t.Error("who has left still signs")
	}
	h.keys = old
	h.rounds(9)
	back := follow(c.Epoch)
	rotate(back, 0, 0)
	if err := c.CheckEpoch(back); !errors.Is(err, ErrChange) {
		t.Errorf("a key that was given up comes back: %v", err)
	}
}

// TestElementsAreCountedLow lets members go that were in the sum that counted elements.
func TestElementsAreCountedLow(t *testing.T) {
	h := newHistory(t, 4)
	if h.chain.Elements() != nil {
		t.Error("elements are counted before the setup round")
	}
	h.rounds(10)
	next := follow(h.chain.Epoch)
	drop(next, 2)
	next.Members = append(next.Members, testMember(9))
	h.enter(next, 0, 1, 3, 9)
	if got := h.chain.Elements(); !slices.Equal(got, []uint64{3, 2}) {
		t.Errorf("elements are counted %v, want one less", got)
	}
	h.rounds(10)
	next = follow(h.chain.Epoch)
	drop(next, 3)
	next.Members = append(next.Members, testMember(7))
	h.enter(next, 0, 1, 3, 7)
	if got := h.chain.Elements(); !slices.Equal(got, []uint64{3, 2}) {
		t.Errorf("elements are counted %v; member 9 was never counted", got)
	}
}

func TestChainRefusesEpochs(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rounds int
		spoil  func(h *history, r *Round, next **Epoch)
	}{
		{"too early", 9, func(*history, *Round, **Epoch) {}},
		{"without the document", 10, func(_ *history, _ *Round, next **Epoch) { *next = nil }},
		{"with another document", 10, func(h *history, _ *Round, next **Epoch) { *next = follow(h.chain.Epoch) }},
		{"with a document that may not follow", 10, func(h *history, r *Round, next **Epoch) {
			(*next).K++
			r.Next = (*next).CID()
		}},
		{"with other weights", 10, func(_ *history, r *Round, _ **Epoch) { r.WeightsOut = NoState() }},
		{"with another state", 10, func(_ *history, r *Round, _ **Epoch) { r.StateOut = FileCID([]byte("x")) }},
		{"naming no epoch", 10, func(_ *history, r *Round, _ **Epoch) { r.Next = cid.Undef }},
		{"a training round that names an epoch", 10, func(h *history, r *Round, _ **Epoch) {
			next := r.Next
			*r = *h.next()
			r.Next = next
		}},
		{"a training round with a document", 10, func(h *history, r *Round, _ **Epoch) { *r = *h.next() }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHistory(t, 4)
			h.rounds(tt.rounds)
			next := follow(h.chain.Epoch)
			next.Members = append(next.Members, testMember(9))
			r := h.chain.NextEpoch(next.CID())
			tt.spoil(h, r, &next)
			if err := h.append(r, next); err == nil {
				t.Fatal("accepted")
			}
			h.rounds(1) // and nothing has changed
		})
	}
}

func TestReleaseOverEpochs(t *testing.T) {
	h := threeEpochs(t)
	files, err := h.release().Files()
	if err != nil {
		t.Fatal(err)
	}
	report, err := VerifyFiles(files, h.chain.Genesis.CID())
	if err != nil {
		t.Fatal(err)
	}
	if report.K != 2 || report.Members != 5 || !report.Epoch.Equals(h.chain.Epoch.CID()) || report.Signed[0] != "member 0" || report.Round != 22 {
		t.Errorf("report = %+v", report)
	}
	for k, e := range h.chain.Epochs() {
		if got, err := VerifyFilesFromEpoch(files, e.CID()); err != nil || got.Weights != report.Weights {
			t.Errorf("from epoch %d: %+v, %v", k, got, err)
		}
	}
	if _, err := VerifyFilesFromEpoch(files, NoState()); !errors.Is(err, ErrMissing) {
		t.Errorf("from an epoch that is not there: %v, want ErrMissing", err)
	}
	covered(t, files, h.chain.Genesis.CID(), 13)
	for _, name := range []string{NextEpochFile(1), NextEpochFile(2)} {
		less := maps.Clone(files)
		delete(less, name)
		if _, err := VerifyFiles(less, h.chain.Genesis.CID()); !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v, want ErrMissing", name, err)
		}
	}
}

// TestReleaseEndsWithEpoch has the newest round end an epoch: who signed it are the members before.
func TestReleaseEndsWithEpoch(t *testing.T) {
	h := newHistory(t, 4)
	h.rounds(10)
	first := h.chain.Epoch
	next := follow(first)
	next.Members = append(next.Members, testMember(9))
	h.enter(next)
	files, err := h.release().Files()
	if err != nil {
		t.Fatal(err)
	}
	report, err := VerifyFiles(files, h.chain.Genesis.CID())
	if err != nil || report.K != 0 || report.Members != 4 || !report.Epoch.Equals(first.CID()) {
		t.Errorf("report = %+v, %v; want the members of epoch 0", report, err)
	}
}

// TestOtherHistory has a quorum of epoch 0, long gone, go on without the epoch that the reader trusts.
func TestOtherHistory(t *testing.T) {
	h := threeEpochs(t)
	other := newHistory(t, 5)
	other.rounds(12)
	files, err := other.release().Files()
	if err != nil {
		t.Fatal(err)
	}
	files[NextEpochFile(1)] = h.chain.Epochs()[1].Encode()
	if _, err := VerifyFilesFromEpoch(files, h.chain.Epochs()[1].CID()); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want ErrUnknown for the epoch that is not on the chain", err)
	}
}
