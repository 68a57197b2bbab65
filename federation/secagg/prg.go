package secagg

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
)

// A mask is a stream of uint32 words: AES-256-CTR with a key used for nothing else, from counter zero, words
// little-endian. It is added, or subtracted where negative.
type mask struct {
	key      [32]byte
	negative bool
}

// apply adds the part of the stream that belongs to chunk i. buf holds ChunkSize bytes.
func (m *mask) apply(lanes []uint32, i int, buf []byte) {
	block, err := aes.NewCipher(m.key[:])
	if err != nil {
		panic("secagg: " + err.Error()) // a 32-byte key is always accepted
	}
	var counter [aes.BlockSize]byte
	binary.BigEndian.PutUint64(counter[8:], uint64(i)*(ChunkSize/aes.BlockSize))
	buf = buf[:4*len(lanes)]
	clear(buf)
	cipher.NewCTR(block, counter[:]).XORKeyStream(buf, buf)
	if m.negative {
		for k := range lanes {
			lanes[k] -= binary.LittleEndian.Uint32(buf[4*k:])
		}
		return
	}
	for k := range lanes {
		lanes[k] += binary.LittleEndian.Uint32(buf[4*k:])
	}
}

// eachChunk calls do once for every chunk index below n, from as many goroutines as there are processors, and
// returns when all have ended. Each goroutine brings a buffer of ChunkSize bytes. Chunks are independent, so the
// result does not depend on the number of goroutines.
func eachChunk(n int, do func(i int, buf []byte)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			buf := make([]byte, ChunkSize)
			defer clear(buf)
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i, buf)
			}
		})
	}
	wait.Wait()
}
