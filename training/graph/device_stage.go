package graph

import (
	"errors"

	"github.com/fedlam/fedlam/kernels"
	"github.com/fedlam/fedlam/kernels/cuda"
)

// A stage is where a batch lies between host and steps. There are two: while steps read what came from one, the next batch is
// laid out in the other and copied to the device by a stream of its own. Then a copy within the device, which takes no time to
// speak of, brings it to where steps find every batch, so that their work can be started again as it was recorded.
type stage[F kernels.Float] struct {
	floats []F     // inputs, in memory that the device reads
	ints   []int32 // maps
	device *cuda.Arena
	there  *cuda.Event // what is here is also on the device
	taken  *cuda.Event // and has been copied to where steps find it
}

// stageAlign is how many numbers apart inputs and maps begin, at least: kernels move several at once.
const stageAlign = 64

func aligned(n int) int { return (n + stageAlign - 1) / stageAlign * stageAlign }

// openStages makes the stages and their stream.
func (e *DeviceExec[F]) openStages() (err error) {
	if e.copies, err = e.device.NewStream(); err != nil {
		return err
	}
	for k := range e.stages {
		s := &e.stages[k]
		if s.there, err = e.device.NewEvent(); err != nil {
			return err
		}
		if s.taken, err = e.device.NewEvent(); err != nil {
			return err
		}
	}
	return nil
}

// placeBatch brings inputs and maps to the device. Nothing of the batch is read after it has returned.
func (e *DeviceExec[F]) placeBatch() error {
	nf, ni := e.batchLen()
	if err := e.makeRoom(&e.batch, cuda.Room[F](nf)+cuda.Room[int32](ni)); err != nil {
		return err
	}
	floats, err := cuda.Take[F](e.batch, nf)
	if err != nil {
		return err
	}
	ints, err := cuda.Take[int32](e.batch, ni)
	if err != nil {
		return err
	}
	s := &e.stages[e.turn]
	e.turn = 1 - e.turn
	if err := s.makeRoom(e.device, nf, ni); err != nil {
		return err
	}
	e.fill(s, floats, ints)
	return e.send(s, floats, ints)
}

// batchLen returns how many numbers inputs and maps are, with gaps between them.
func (e *DeviceExec[F]) batchLen() (floats, ints int) {
	p := e.program
	for i := range p.values {
		if p.values[i].where == inBatch {
			floats += aligned(len(e.vals[i]))
		}
	}
	e.eachMap(func(_ *cuda.Slice[int32], data []int32) { ints += aligned(len(data)) })
	return floats, ints
}

// A move is a copy of inputs or of maps into a stage, no more than one thread copies in a short time.
type move[F kernels.Float] struct {
	floatsTo, floats []F
	intsTo, ints     []int32
}

const moveLen = 1 << 16 // numbers

// fill lays the batch out and says where on the device it will be.
func (e *DeviceExec[F]) fill(s *stage[F], floats cuda.Slice[F], ints cuda.Slice[int32]) {
	p, at := e.program, 0
	e.moves = e.moves[:0]
	for i := range p.values {
		if p.values[i].where == inBatch {
			n := len(e.vals[i])
			e.at[i] = floats.Cut(at, at+n)
			for from := 0; from < n; from += moveLen {
				e.moves = append(e.moves, move[F]{floatsTo: s.floats[at+from:], floats: e.vals[i][from:min(from+moveLen, n)]})
			}
			at += aligned(n)
		}
	}
	at = 0
	e.eachMap(func(to *cuda.Slice[int32], data []int32) {
		n := len(data)
		*to = ints.Cut(at, at+n)
		for from := 0; from < n; from += moveLen {
			e.moves = append(e.moves, move[F]{intsTo: s.ints[at+from:], ints: data[from:min(from+moveLen, n)]})
		}
		at += aligned(n)
	})
	e.pool.run(job{kind: otherJob}, len(e.moves))
	clear(e.moves) // the batch is not ours
}

// move does one of the moves.
func (e *DeviceExec[F]) move(k int) {
	m := &e.moves[k]
	copy(m.floatsTo, m.floats)
	copy(m.intsTo, m.ints)
}

// send starts the way of what a stage holds to the memory of the batch; the last part of it is recorded.
func (e *DeviceExec[F]) send(s *stage[F], floats cuda.Slice[F], ints cuda.Slice[int32]) error {
	s.device.Reset(0)
	f, err := cuda.Take[F](s.device, floats.Len())
	if err != nil {
		return err
	}
	i, err := cuda.Take[int32](s.device, ints.Len())
	if err != nil {
		return err
	}
	e.sent.Reset()
	cuda.Upload(&e.sent, f, s.floats[:f.Len()])
	cuda.Upload(&e.sent, i, s.ints[:i.Len()])
	cuda.Mark(&e.sent, s.there)
	if err := e.copies.Run(&e.sent); err != nil {
		return err
	}
	cuda.Await(&e.list, s.there)
	cuda.Copy(&e.list, floats, f)
	cuda.Copy(&e.list, ints, i)
	cuda.Mark(&e.list, s.taken)
	return nil
}

// makeRoom waits until the batch before the last one has left the stage, and makes it large enough.
func (s *stage[F]) makeRoom(d *cuda.Device, floats, ints int) (err error) {
	if err := s.taken.Wait(); err != nil {
		return err
	}
	if s.floats, err = growHost(d, s.floats, floats); err != nil {
		return err
	}
	if s.ints, err = growHost(d, s.ints, ints); err != nil {
		return err
	}
	bytes := cuda.Room[F](floats) + cuda.Room[int32](ints)
	if s.device != nil && s.device.Bytes() >= bytes {
		return nil
	}
	if s.device != nil {
		if err := s.device.Free(); err != nil {
			return err
		}
	}
	s.device, err = d.NewArena(bytes + bytes/4)
	return err
}

// growHost returns memory of n numbers at least, which hold nothing; s is given back if it is less.
func growHost[T cuda.Number](d *cuda.Device, s []T, n int) ([]T, error) {
	if len(s) >= n {
		return s, nil
	}
	if err := cuda.FreeHost(d, s); err != nil {
		return nil, err
	}
	return cuda.NewHost[T](d, n+n/4)
}

// close frees the stage.
func (s *stage[F]) close(d *cuda.Device) error {
	failed := []error{cuda.FreeHost(d, s.floats), cuda.FreeHost(d, s.ints), s.there.Free(), s.taken.Free()}
	if s.device != nil {
		failed = append(failed, s.device.Free())
	}
	return errors.Join(failed...)
}
