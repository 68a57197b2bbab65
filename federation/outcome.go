package federation

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
	"github.com/fedlam/fedlam/federation/secagg"
	"github.com/fedlam/fedlam/training/weights"
	"github.com/ipfs/go-cid"
)

// result is a record that this member computed itself, with all that it names.
type result struct {
	record  *ledger.Round
	cid     cid.Cid
	weights *weights.Set
	state   *weights.Set
	files   []File
}

// pendingSetup waits for the Trainer to apply the totals.
type pendingSetup struct{ record *ledger.Round }

func (m *Machine) onUnmask(a *attempt, s *stored) error {
	if _, err := decodeUnmask(s.env.Body, len(a.sessions)); err != nil {
		return err
	}
	a.opened[s.from] = true
	if s.from != m.self && m.r.released.IsZero() {
		m.r.released = m.now
	}
	return nil
}

// sums is what an attempt opened, by group name.
type sums struct {
	lanes   map[string][]uint32
	members map[string]int
	groups  []ledger.Group
}

// conclude computes the outcome of an attempt from public messages, when they suffice, and signs it. Spectators do it
// too: whoever has the messages gets the same record.
func (m *Machine) conclude(a *attempt) bool {
	if a.summed || a.impasse != "" || len(a.opened) <= a.tried || len(a.opened) < m.quorum {
		return false
	}
	a.tried = len(a.opened)
	g := m.agreed(a)
	if g == nil {
		a.tried = 0
		return false
	}
	opened, err := m.open(a, g)
	var cheat *cheatError
	switch {
	case errors.As(err, &cheat):
		m.giveUp(a, cheat.Error())
		return true
	case err != nil:
		m.tell(Debug, "attempt %d cannot be summed yet: %v", a.number, err)
		return false
	}
	a.summed = true
	if m.r.base.Kind == ledger.Setup {
		err = m.concludeSetup(a, opened)
	} else {
		err = m.concludeTraining(a, opened)
	}
	if err != nil {
		m.giveUp(a, err.Error())
	}
	return true
}

// giveUp notes that an opened sum is of no use. Everybody who opens it finds the same, so the round is void.
func (m *Machine) giveUp(a *attempt, why string) {
	a.impasse = why
	m.r.mustVoid = why
	m.tell(Alarm, "the sum of attempt %d is of no use: %s", a.number, why)
}

// cheatError says that a sum is impossible, as everybody finds who has the messages.
type cheatError struct{ text string }

func (e *cheatError) Error() string { return e.text }

// open adds up every session of an agreement.
func (m *Machine) open(a *attempt, g *agreement) (*sums, error) {
	unmasks := map[int]bundle{}
	a.of(typeUnmask, func(s *stored) {
		if u, err := decodeUnmask(s.env.Body, len(a.sessions)); err == nil {
			unmasks[s.from] = u
		}
	})
	out := &sums{map[string][]uint32{}, map[string]int{}, nil}
	for _, index := range g.sessions {
		s := a.sessions[index]
		in := secagg.Transcript{Keys: s.keys, Shares: s.shares, Statements: g.statements[index], Masked: map[int]secagg.Masked{}, Unmasks: map[int]secagg.Unmask{}}
		var survivors []uint64
		for _, i := range s.among(g.members) {
			k := slices.Index(s.members, i)
			if s.masked[k] == nil || !s.masked[k].Complete() {
				return nil, fmt.Errorf("the masked input of %s is missing", m.name(i))
			}
			in.Masked[k] = *s.masked[k]
			survivors = append(survivors, uint64(i))
			if u, err := secagg.DecodeUnmask(unmasks[i][index]); err == nil {
				in.Unmasks[k] = u
			}
		}
		opening, err := secagg.Open(s.public, in)
		if fault := (*secagg.Fault)(nil); errors.As(err, &fault) {
			return nil, &cheatError{fmt.Sprintf("the messages of %s in %s prove that it cheated: %s", m.name(s.members[fault.Member]), s.name, fault.What)}
		}
		if err != nil {
			return nil, err
		}
		lanes, err := sumLanes(opening, s, in.Masked)
		if err != nil {
			return nil, err
		}
		var any secagg.Survivors
		for _, any = range g.statements[index] {
			break // all of them say the same
		}
		out.lanes[s.name], out.members[s.name] = lanes, len(survivors)
		out.groups = append(out.groups, ledger.Group{Name: s.name, Session: s.public.ID, Survivors: survivors,
			Masked: any.MaskedRoot(), Seeds: opening.Root(), Aggregate: AggregateRoot(lanes)})
	}
	return out, nil
}

func sumLanes(o *secagg.Opening, s *session, masked map[int]secagg.Masked) ([]uint32, error) {
	lanes := make([]uint32, 0, s.public.Lanes)
	for c := 0; len(lanes) < s.public.Lanes; c++ {
		chunk := map[int][]byte{}
		for k := range masked {
			chunk[k] = masked[k].Chunks[c]
		}
		part, err := o.SumChunk(c, chunk)
		if err != nil {
			return nil, err
		}
		lanes = append(lanes, part...)
	}
	return lanes, nil
}

// concludeSetup decodes the statistics and asks the Trainer to apply them.
func (m *Machine) concludeSetup(a *attempt, o *sums) error {
	wide, err := secagg.NewWide(len(m.epoch.Members))
	if err != nil {
		return err
	}
	trunk, err := wide.Decode(o.lanes[ledger.TrunkGroup])
	if err != nil {
		return err
	}
	totals := SetupTotals{Trunk: trunk[:m.cfg.SetupTrunk], Heads: map[string][]float64{}}
	for _, n := range trunk[m.cfg.SetupTrunk:] {
		if n < 0 || n > float64(o.members[ledger.TrunkGroup]) || n != math.Trunc(n) {
			return fmt.Errorf("%g members are said to have an element", n)
		}
		totals.Elements = append(totals.Elements, uint64(n))
	}
	for _, key := range m.epoch.Shared() {
		if totals.Heads[key], err = wide.Decode(o.lanes[ledger.HeadGroup(key)]); err != nil {
			return err
		}
	}
	record := m.newRecord(a, o)
	record.Elements = totals.Elements
	a.setup = &pendingSetup{record}
	m.tell(Info, "statistics summed over %d members", o.members[ledger.TrunkGroup])
	m.do(ApplySetup{m.r.number, a.number, m.r.weights, totals})
	return nil
}

func (m *Machine) setupApplied(e SetupApplied) {
	if m.r == nil || e.Round != m.r.number || e.Weights == nil {
		return
	}
	a := m.r.attempts[e.Attempt]
	if a == nil || a.setup == nil {
		return
	}
	record := a.setup.record
	a.setup = nil
	err := m.r.weights.SameShapes(e.Weights)
	if err == nil {
		var layout *Layout
		if layout, err = NewLayout(e.Weights, m.epoch.Shared(), record.Elements, m.rules.MinGroup); err == nil {
			err = m.finishResult(record, e.Weights.Clone(), newOuterState(e.Weights, layout, m.rules.FirstScale))
		}
	}
	if err != nil {
		m.giveUp(a, err.Error())
	}
}

// concludeTraining takes the outer step. A head whose sum cannot be used keeps its weights.
func (m *Machine) concludeTraining(a *attempt, o *sums) error {
	w, state := m.r.weights.Clone(), outerState{m.r.state.set.Clone()}
	record := m.newRecord(a, o)
	record.Groups = nil
	for _, group := range o.groups {
		q, err := m.r.state.quantizer(m.r.layout, group.Name, m.rules, len(m.epoch.Members))
		if err != nil {
			return err
		}
		mean, weight, err := q.Dequantize(o.lanes[group.Name], o.members[group.Name])
		if err != nil && group.Name == ledger.TrunkGroup {
			return err
		}
		if err != nil {
			m.tell(Warning, "%s keeps its weights: %v", group.Name, err)
			continue
		}
		norm := state.step(m.outer, w, m.r.layout.Slices(group.Name), mean, o.members[group.Name])
		group.Weight = weight
		record.Groups = append(record.Groups, group)
		record.Metrics = append(record.Metrics, ledger.Metric{Name: "update_norm/" + group.Name, Value: norm})
	}
	slices.SortFunc(record.Metrics, func(x, y ledger.Metric) int {
		if x.Name < y.Name {
			return -1
		}
		return 1
	})
	return m.finishResult(record, w, state)
}

// newRecord begins the record of an attempt.
func (m *Machine) newRecord(a *attempt, o *sums) *ledger.Round {
	record := *m.r.base
	ids := make([]ledger.MemberID, len(a.roster))
	for k, i := range a.roster {
		ids[k] = m.epoch.Members[i].ID
	}
	record.Attempt, record.Roster, record.Groups = a.number, ledger.RosterHash(ids), o.groups
	return &record
}

// finishResult encodes weights and state and signs the record that names them.
func (m *Machine) finishResult(record *ledger.Round, w *weights.Set, state outerState) error {
	weightsFile, err := encodeFile(w)
	if err != nil {
		return err
	}
	stateFile, err := encodeFile(state.set)
	if err != nil {
		return err
	}
	record.WeightsOut, record.StateOut = weightsFile.CID, stateFile.CID
	if err := m.chain.Check(record); err != nil {
		return err
	}
	// Weights are certified in float32; what members go on with is what anybody reads from the file.
	for _, file := range []struct {
		of  File
		set **weights.Set
	}{{weightsFile, &w}, {stateFile, &state.set}} {
		if *file.set, err = decodeFile(file.of.CID, file.of.Data, maxFile); err != nil {
			return err
		}
	}
	m.sign(&result{record, record.CID(), w, state.set, []File{weightsFile, stateFile}})
	return nil
}

// AggregateRoot is how a record names an opened sum: the digest in the CID of the file of its words, little-endian.
func AggregateRoot(lanes []uint32) (root [32]byte) {
	b := make([]byte, 0, 4*len(lanes))
	for _, v := range lanes {
		b = append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
	}
	hash := ledger.FileCID(b).Hash()
	copy(root[:], hash[len(hash)-32:])
	return root
}
