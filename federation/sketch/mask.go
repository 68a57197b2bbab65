package sketch

import (
	"crypto/aes"
	"encoding/binary"
	"runtime"
	"sync"
	"sync/atomic"
)

// Mask returns the sketch of PRG(key): the AES-256-CTR stream from counter zero, cut into little-endian words of Bits/8 bytes,
// as secure aggregation masks with.
func (s *Sketch) Mask(key [32]byte) []uint32 {
	out := s.Zero()
	if s.rate < fullRate/seekBelow {
		s.seekMask(out, key)
	} else {
		s.streamMask(out, key)
	}
	return out
}

// seekBelow is where it pays to encrypt single counters instead of the whole stream: below a rate of 1/64, as measured.
const seekBelow = 64

func (s *Sketch) streamMask(out []uint32, key [32]byte) {
	stream, buf := newStream(key), make([]byte, chunkSize)
	defer clear(buf)
	size := s.c.Bits / 8
	for from := 0; from < s.c.Lanes; from += chunkSize / size {
		part := buf[:size*min(chunkSize/size, s.c.Lanes-from)]
		clear(part)
		stream.XORKeyStream(part, part)
		s.AddBytes(out, from, part)
	}
}

// seekMask computes only the blocks of the stream in which there are sampled lanes.
func (s *Sketch) seekMask(out []uint32, key [32]byte) {
	block := newBlock(key)
	var counter, words [aes.BlockSize]byte
	defer clear(words[:])
	perBlock := aes.BlockSize / (s.c.Bits / 8)
	have := -1
	for i, lane := range s.lanes {
		if at := int(lane) / perBlock; at != have {
			binary.BigEndian.PutUint64(counter[8:], uint64(at))
			block.Encrypt(words[:], counter[:])
			have = at
		}
		var word uint32
		if k := int(lane) % perBlock; s.c.Bits == 16 {
			word = uint32(binary.LittleEndian.Uint16(words[2*k:]))
		} else {
			word = binary.LittleEndian.Uint32(words[4*k:])
		}
		addWord(out, s.codes[i], word)
	}
	s.reduce(out)
}

// Accumulate adds a sketch to dst, in the ring.
func (s *Sketch) Accumulate(dst, other []uint32) {
	for k := range dst {
		dst[k] += other[k]
	}
	s.reduce(dst)
}

// Remove subtracts a sketch from dst, in the ring.
func (s *Sketch) Remove(dst, other []uint32) {
	for k := range dst {
		dst[k] -= other[k]
	}
	s.reduce(dst)
}

// masks sketches the masks under many keys, on as many goroutines as there are processors.
func (s *Sketch) masks(keys map[int][32]byte) map[int][]uint32 {
	order := sorted(keys)
	sketches := make([][]uint32, len(order))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(len(order), runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for k := int(next.Add(1)) - 1; k < len(order); k = int(next.Add(1)) - 1 {
				sketches[k] = s.Mask(keys[order[k]])
			}
		})
	}
	wait.Wait()
	out := make(map[int][]uint32, len(order))
	for k, j := range order {
		out[j] = sketches[k]
	}
	return out
}
