package robust

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

const domain = "fedlam/robust/v1"

// MostGroups is the largest number of groups of at least least members each.
func MostGroups(members, least int) int {
	if least < 1 {
		return 0
	}
	return members / least
}

// Partition splits members, distinct indices, into groups of at least least members whose sizes differ by at most one. The split is a
// uniform one for an unpredictable seed, the same on every machine, and does not depend on the order of members.
// Groups and their members are ascending.
func Partition(seed [32]byte, members []int, groups, least int) ([][]int, error) {
	order := slices.Sorted(slices.Values(members))
	if len(slices.Compact(slices.Clone(order))) != len(order) {
		return nil, fmt.Errorf("partition: members %v are not distinct", members)
	}
	if least < 1 || groups < 1 || groups > MostGroups(len(order), least) {
		return nil, fmt.Errorf("partition: %d groups of at least %d of %d members, want 1 to %d groups", groups, least, len(order), MostGroups(len(order), least))
	}
	shuffle(order, newDraws(seed))
	out := make([][]int, groups)
	for g := range out {
		from, to := g*len(order)/groups, (g+1)*len(order)/groups
		out[g] = slices.Sorted(slices.Values(order[from:to]))
	}
	slices.SortFunc(out, func(a, b []int) int { return a[0] - b[0] })
	return out, nil
}

// shuffle is the Fisher-Yates shuffle.
func shuffle(order []int, d *draws) {
	for i := len(order) - 1; i > 0; i-- {
		j := d.below(uint64(i + 1))
		order[i], order[j] = order[j], order[i]
	}
}

// draws are uniform 64-bit numbers: AES-256-CTR from counter zero under SHA-256 of the domain, a zero byte and the seed,
// big-endian.
type draws struct{ stream cipher.Stream }

func newDraws(seed [32]byte) *draws {
	key := sha256.Sum256(append([]byte(domain+"/partition\x00"), seed[:]...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic("robust: " + err.Error()) // a 32-byte key is always accepted
	}
	return &draws{cipher.NewCTR(block, make([]byte, aes.BlockSize))}
}

// below returns a uniform number below n, at least 1.
func (d *draws) below(n uint64) uint64 {
	limit := -n % n // 2^64 mod n: numbers below it would make small results more likely
	for {
		var b [8]byte
		d.stream.XORKeyStream(b[:], b[:])
		if x := binary.BigEndian.Uint64(b[:]); x >= limit {
			return x % n
		}
	}
}
