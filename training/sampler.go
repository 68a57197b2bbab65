package training

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"

	"github.com/fedlam/fedlam/dataset"
)

// A sampler decides which frames the next step sees. Its draws are a function of the seed and the data; State and
// Restore carry its place over an interruption.
//
// Frames of one head are grouped in systems of equal number of atoms, as DeePMD-kit defines the loss for those. Inside
// a system frames are taken in a shuffled order without replacement, reshuffled when all were seen; the system of a
// batch is drawn in proportion to its number of batches. Where batches are to fill a GPU all frames of a head are one
// system, whatever their sizes, as each alone may be too small.
type sampler struct {
	source *rand.PCG
	rng    *rand.Rand
	heads  []*headSampler
}

type headSampler struct {
	key         string
	probability float64
	systems     []*system
}

// A system holds positions in the head's frames.
type system struct {
	frames   []int
	atoms    int // of each frame; 0 if they differ
	perBatch int
	sizes    []int // atoms of each of frames, where batches are bounded by
	most     int   // atoms of a batch; 0 if perBatch decides
	seed     uint64
	pass     uint64 // times that all frames were seen
	next     int    // position in order of the first frame of the next batch
	order    []int  // of this pass; a function of seed and pass; replaced, never changed
}

func (s *system) batches() int { return (len(s.frames) + s.perBatch - 1) / s.perBatch }

// groupSystems sorts frames into systems, in the order in which their sizes first occur.
func groupSystems(key string, frames []dataset.Frame, rule batchRule, seed uint64) ([]*system, error) {
	var systems []*system
	bySize := map[int]*system{}
	for i := range frames {
		f := &frames[i]
		if f.Energy == nil && f.Forces == nil && f.Virial == nil {
			return nil, fmt.Errorf("%s has no label at all; take it out of the training data, or name its labels in \"keys\" of the convention", f.Name())
		}
		n := f.NumAtoms()
		if rule.most > 0 {
			n = 0 // all in one
		}
		s := bySize[n]
		if s == nil {
			per, err := rule.size.frames(max(1, f.NumAtoms()))
			if err != nil {
				return nil, fmt.Errorf("head %q: %w", key, err)
			}
			s = &system{atoms: n, perBatch: per, most: rule.most, seed: mix(seed, key, uint64(len(systems)))}
			bySize[n] = s
			systems = append(systems, s)
		}
		s.frames = append(s.frames, i)
		s.sizes = append(s.sizes, f.NumAtoms())
	}
	for _, s := range systems {
		if s.most > 0 {
			s.perBatch = s.usual()
		}
		s.shuffle()
	}
	return systems, nil
}

// usual is how many frames a batch has that is bounded by atoms, in the mean.
func (s *system) usual() int {
	atoms := 0
	for _, n := range s.sizes {
		atoms += n
	}
	return max(1, s.most*len(s.sizes)/max(1, atoms))
}

// mix makes the seed of one stream.
func mix(seed uint64, key string, n uint64) uint64 {
	h := fnv.New64a()
	h.Write(binary.LittleEndian.AppendUint64(nil, seed))
	h.Write([]byte(key))
	h.Write(binary.LittleEndian.AppendUint64(nil, n))
	return h.Sum64()
}

func (s *system) shuffle() {
	s.order = rand.New(rand.NewPCG(s.seed, s.pass)).Perm(len(s.frames))
}

// batchEnd returns where in order the next batch ends.
func (s *system) batchEnd() int {
	if s.most == 0 {
		return min(s.next+s.perBatch, len(s.order))
	}
	atoms, end := 0, s.next
	for ; end < len(s.order); end++ {
		if atoms += s.sizes[s.order[end]]; atoms > s.most && end > s.next {
			break
		}
	}
	return end
}

// take returns the frames of the next batch; the last batch of a pass may be smaller.
func (s *system) take() []int {
	end := s.batchEnd()
	var batch []int
	for _, k := range s.order[s.next:end] {
		batch = append(batch, s.frames[k])
	}
	if s.next = end; end == len(s.order) {
		s.pass++
		s.next = 0
		s.shuffle()
	}
	return batch
}

// newSampler checks and normalises the probabilities of the heads. When none is given, all are equal.
func newSampler(seed uint64, heads []*headSampler) (*sampler, error) {
	var sum float64
	for _, h := range heads {
		if !(h.probability >= 0) || h.probability > 1e6 {
			return nil, fmt.Errorf("head %q: probability %g, want a number that is not negative", h.key, h.probability)
		}
		sum += h.probability
	}
	for _, h := range heads {
		if sum == 0 {
			h.probability = 1 / float64(len(heads))
		} else {
			h.probability /= sum
		}
		if h.probability > 0 && len(h.systems) == 0 {
			return nil, fmt.Errorf("head %q: no training frames; give some, or probability 0", h.key)
		}
	}
	source := rand.NewPCG(seed, 0x666564_6c616d)
	return &sampler{source: source, rng: rand.New(source), heads: heads}, nil
}

// draw picks a head and the frames of its next batch.
func (s *sampler) draw() (head int, frames []int) {
	u := s.rng.Float64()
	for head = range s.heads {
		if u -= s.heads[head].probability; u < 0 {
			break
		}
	}
	for s.heads[head].probability == 0 { // u ran out by rounding
		head--
	}
	systems := s.heads[head].systems
	total := 0
	for _, sys := range systems {
		total += sys.batches()
	}
	pick := s.rng.IntN(total)
	for _, sys := range systems {
		if pick -= sys.batches(); pick < 0 {
			return head, sys.take()
		}
	}
	panic("training: no system drawn")
}

// clone returns a sampler at the same place that moves by itself. Frames and orders are shared: nobody changes them.
func (s *sampler) clone() *sampler {
	source := *s.source
	c := &sampler{source: &source, rng: rand.New(&source)}
	for _, h := range s.heads {
		own := &headSampler{key: h.key, probability: h.probability}
		for _, sys := range h.systems {
			moving := *sys
			own.systems = append(own.systems, &moving)
		}
		c.heads = append(c.heads, own)
	}
	return c
}

// samplerState is the place in the data, for a checkpoint. Frames and Atoms tell whether the data are still the same.
type samplerState struct {
	Generator []byte        `json:"generator"`
	Heads     []headSampled `json:"heads"`
}

type headSampled struct {
	Key     string          `json:"key"`
	Systems []systemSampled `json:"systems"`
}

type systemSampled struct {
	Atoms  int    `json:"atoms"`
	Frames int    `json:"frames"`
	Pass   uint64 `json:"pass"`
	Next   int    `json:"next"`
}

func (s *sampler) state() (samplerState, error) {
	generator, err := s.source.MarshalBinary()
	if err != nil {
		return samplerState{}, err
	}
	st := samplerState{Generator: generator}
	for _, h := range s.heads {
		sampled := headSampled{Key: h.key}
		for _, sys := range h.systems {
			sampled.Systems = append(sampled.Systems, systemSampled{sys.atoms, len(sys.frames), sys.pass, sys.next})
		}
		st.Heads = append(st.Heads, sampled)
	}
	return st, nil
}

// restore refuses a state that was made with other data.
func (s *sampler) restore(st samplerState) error {
	if len(st.Heads) != len(s.heads) {
		return fmt.Errorf("the checkpoint has %d heads, the configuration %d", len(st.Heads), len(s.heads))
	}
	for k, h := range s.heads {
		sampled := st.Heads[k]
		if sampled.Key != h.key || len(sampled.Systems) != len(h.systems) {
			return fmt.Errorf("head %d is %q with %d sizes of frames in the checkpoint and %q with %d in the data", k, sampled.Key, len(sampled.Systems), h.key, len(h.systems))
		}
		for i, sys := range h.systems {
			was := sampled.Systems[i]
			if was.Atoms != sys.atoms || was.Frames != len(sys.frames) || was.Next < 0 || was.Next >= len(sys.frames) {
				return fmt.Errorf("head %q had %d frames of %d atoms when the checkpoint was made and has %d of %d now", h.key, was.Frames, was.Atoms, len(sys.frames), sys.atoms)
			}
		}
	}
	if err := s.source.UnmarshalBinary(st.Generator); err != nil {
		return fmt.Errorf("random generator: %w", err)
	}
	for k, h := range s.heads {
		for i, sys := range h.systems {
			sys.pass, sys.next = st.Heads[k].Systems[i].Pass, st.Heads[k].Systems[i].Next
			sys.shuffle()
		}
	}
	return nil
}
