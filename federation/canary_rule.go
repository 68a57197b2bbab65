package federation

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/fedlam/fedlam/federation/ledger"
)

// The rule by which errors on a canary set are too bad. Errors of single rounds have outliers, and the spread of a converged model can be
// nearly nothing: so median and median absolute deviation stand for mean and standard deviation, and the spread counts as
// at least a part of the median.
const (
	canaryRounds   = 16   // certified rounds that are remembered
	canaryLeast    = 4    // fewer of them say nothing about spread
	canarySigmas   = 3.0  // how far above the median is too far
	canaryFloor    = 0.05 // of the median: the least that counts as one sigma
	canaryEncoding = 1
)

// CanaryError is how far predictions are from the labels of a canary set, as root mean square.
type CanaryError struct {
	Energy float64 // eV/atom
	Force  float64 // eV/Å, per component
}

func (e CanaryError) finite() bool {
	sum := e.Energy + e.Force
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}

// canaryRecord holds the errors of the weights of a round, by head.
type canaryRecord struct {
	round  uint64
	errors map[string]CanaryError
}

// canaryLimit returns the median of the errors of past rounds and the largest error that is accepted after them; +Inf when they are too
// few to say.
func canaryLimit(past []float64) (median, limit float64) {
	if len(past) == 0 {
		return math.NaN(), math.Inf(1)
	}
	median = medianOf(past)
	if len(past) < canaryLeast {
		return median, math.Inf(1)
	}
	apart := make([]float64, len(past))
	for k, e := range past {
		apart[k] = math.Abs(e - median)
	}
	return median, median + canarySigmas*max(madToSigma*medianOf(apart), canaryFloor*median)
}

// medianOf returns the middle of a list that is not empty, or the mean of the middle two.
func medianOf(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}

// canaryQuantities are what is compared, each by itself.
var canaryQuantities = []struct {
	name, unit string
	of         func(CanaryError) float64
}{
	{"energy", "eV/atom", func(e CanaryError) float64 { return e.Energy }},
	{"force", "eV/Å", func(e CanaryError) float64 { return e.Force }},
}

// canaryFault says in plain words why errors on the canary sets are too bad after those of past rounds, or nothing.
func canaryFault(heads []ledger.Head, history []canaryRecord, errors map[string]CanaryError) string {
	for _, h := range heads {
		e, ok := errors[h.Key]
		if !ok {
			continue
		}
		for _, q := range canaryQuantities {
			past := pastErrors(history, h.Key, q.of)
			median, limit := canaryLimit(past)
			switch got := q.of(e); {
			case math.IsNaN(got) || math.IsInf(got, 0):
				return fmt.Sprintf("the %s error on the canary set of head %s is %g", q.name, headName(h), got)
			case got > limit:
				return fmt.Sprintf("the %s error on the canary set of head %s is %.4g %s; after a median of %.4g in the last %d certified rounds at most %.4g %s is accepted",
					q.name, headName(h), got, q.unit, median, len(past), limit, q.unit)
			}
		}
	}
	return ""
}

// pastErrors lists one quantity of one head.
func pastErrors(history []canaryRecord, key string, of func(CanaryError) float64) (past []float64) {
	for _, r := range history {
		if e, ok := r.errors[key]; ok {
			past = append(past, of(e))
		}
	}
	return past
}

func headName(h ledger.Head) string {
	if h.Name != "" {
		return fmt.Sprintf("%s (%s)", h.Key, h.Name)
	}
	return h.Key
}

// remembered adds the errors of a certified round, and forgets the oldest. What is no number, or older than what is there, is left out.
func remembered(history []canaryRecord, round uint64, errors map[string]CanaryError) []canaryRecord {
	keep := maps.Clone(errors)
	maps.DeleteFunc(keep, func(_ string, e CanaryError) bool { return !e.finite() })
	if n := len(history); len(keep) == 0 || n > 0 && history[n-1].round >= round {
		return history
	}
	history = append(slices.Clone(history), canaryRecord{round, keep})
	return history[max(0, len(history)-canaryRounds):]
}

// In the log, errors are: version 1, and for each round, oldest first: number 8, count of heads 1, and for each head in ascending order:
// length of the key 1, key, energy and force error as IEEE 754 bits, 8 each.
func encodeCanaries(records []canaryRecord) []byte {
	b := []byte{canaryEncoding}
	for _, r := range records {
		b = append(binary.BigEndian.AppendUint64(b, r.round), byte(len(r.errors)))
		for _, key := range slices.Sorted(maps.Keys(r.errors)) {
			e := r.errors[key]
			b = append(append(b, byte(len(key))), key...)
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(e.Energy))
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(e.Force))
		}
	}
	return b
}

func decodeCanaries(b []byte) (records []canaryRecord, err error) {
	bad := fmt.Errorf("%w: %d bytes are no errors on canary sets", errBody, len(b))
	if len(b) == 0 || b[0] != canaryEncoding {
		return nil, bad
	}
	for b = b[1:]; len(b) > 0; {
		if len(b) < 9 || len(records) == canaryRounds {
			return nil, bad
		}
		r := canaryRecord{binary.BigEndian.Uint64(b), map[string]CanaryError{}}
		heads := int(b[8])
		b = b[9:]
		for range heads {
			if len(b) < 1 || len(b) < 1+int(b[0])+16 {
				return nil, bad
			}
			key, rest := string(b[1:1+b[0]]), b[1+b[0]:]
			r.errors[key] = CanaryError{math.Float64frombits(binary.BigEndian.Uint64(rest)), math.Float64frombits(binary.BigEndian.Uint64(rest[8:]))}
			b = rest[16:]
		}
		records = append(records, r)
	}
	return records, nil
}
