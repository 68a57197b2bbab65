package blocks

import (
	"context"
	"fmt"

	blockformat "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
)

// walk is one reading of a file: blocks are asked for in order, and land where the sizes above them say.
type walk struct {
	reader  FileReader
	data    []byte
	done    int64
	queue   []cid.Cid          // to be asked for, each once
	pending map[cid.Cid][]part // where each goes; equal blocks may occur at several places
}

// plan queues the children of a node that fills place. Only the last leaf of a file may be short: without that rule a
// small tree of links to the same tiny leaf would grow without bound here.
func (w *walk) plan(children []child, place part) error {
	offset := place.offset
	for _, c := range children {
		last := offset+c.size == int64(len(w.data))
		if c.size%leafSize != 0 && !last || c.cid.Prefix().Codec == cid.Raw && c.size > leafSize {
			return fmt.Errorf("%w: a child of %d bytes at %d", ErrMalformed, c.size, offset)
		}
		if w.pending[c.cid] == nil {
			w.queue = append(w.queue, c.cid)
		}
		w.pending[c.cid] = append(w.pending[c.cid], part{offset, c.size, place.depth + 1})
		offset += c.size
	}
	return nil
}

// step reads the next blocks of the queue.
func (w *walk) step(ctx context.Context) error {
	n := min(fetchMany, len(w.queue))
	batch := w.queue[:n:n]
	w.queue = w.queue[n:]
	return w.reader.get(ctx, batch, w.take)
}

func (w *walk) take(b blockformat.Block) error {
	places := w.pending[b.Cid()]
	delete(w.pending, b.Cid())
	if b.Cid().Prefix().Codec == cid.Raw {
		return w.leaf(b.RawData(), places)
	}
	total, children, err := parseNode(b)
	if err != nil {
		return err
	}
	for _, place := range places {
		if total != place.size || place.depth >= maxDepth {
			return fmt.Errorf("%w: %d bytes where %d were announced, level %d", ErrMalformed, total, place.size, place.depth)
		}
		if err := w.plan(children, place); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) leaf(data []byte, places []part) error {
	if len(data) > leafSize {
		return fmt.Errorf("%w: a leaf of %d bytes", ErrMalformed, len(data))
	}
	for _, place := range places {
		if int64(len(data)) != place.size {
			return fmt.Errorf("%w: a leaf of %d bytes where %d were announced", ErrMalformed, len(data), place.size)
		}
		copy(w.data[place.offset:], data)
		w.done += place.size
	}
	if w.reader.Progress != nil {
		w.reader.Progress(w.done, int64(len(w.data)))
	}
	return nil
}
