package graph

import (
	"github.com/fedlam/fedlam/kernels/cuda"
)

// tile returns a fused step as the device does it, but for where its numbers are.
func (e *DeviceExec[F]) tile(s *step) cuda.Tile[F] {
	from, to := e.span(s.tile.rows)
	t := cuda.Tile[F]{Formula: s.tile.formula, Rows: to - from, Cols: s.tile.cols}
	for _, st := range s.tile.stores {
		t.Stores = append(t.Stores, cuda.Store[F]{Kind: storeKinds[st.kind], Reg: st.reg})
	}
	return t
}

// recordTile records a fused step.
func (e *DeviceExec[F]) recordTile(s *step) {
	t := e.tile(s)
	t.Scratch = e.scrap8
	for i := range s.tile.loads {
		t.Loads = append(t.Loads, e.load(s, &s.tile.loads[i]))
	}
	for o := range t.Stores {
		st := &t.Stores[o]
		st.Dst, st.Add = e.rows(s.outs[o]), st.Kind == cuda.SumRows && !e.block.begins()
	}
	t.Run(&e.list)
}

var storeKinds = [...]cuda.StoreKind{storeWhole: cuda.Whole, storeSumCols: cuda.SumCols, storeSumRows: cuda.SumRows}

// load says what an operand is made of.
func (e *DeviceExec[F]) load(s *step, l *load) cuda.Load[F] {
	x, cols := e.arg(s, l.parts[0].arg)
	switch {
	case l.mode == loadRow:
		return cuda.Load[F]{{Src: x, SrcCols: cols, Repeat: cuda.Row}}
	case l.mode == loadScalar:
		return cuda.Load[F]{{Src: x, SrcCols: cols, Repeat: cuda.Scalar}}
	case l.rowMap != nil:
		return cuda.Load[F]{{Src: x, SrcCols: cols, Map: e.perms[l.rowMap]}}
	}
	var out cuda.Load[F]
	for i := range l.parts {
		pt := &l.parts[i]
		x, cols := e.arg(s, pt.arg)
		part := cuda.Part[F]{Src: x, SrcCols: cols, From: pt.from, At: pt.at, Width: pt.cols}
		if l.mode == loadCol {
			part.Repeat, part.At, part.Width = cuda.Column, 0, 0
		}
		if pt.index >= 0 {
			from, to := e.span(s.tile.rows)
			part.Src, part.Index = e.slice(s.args[pt.arg]), e.maps[pt.index].to.Cut(from, to)
		}
		out = append(out, part)
	}
	return out
}
