package graph

import (
	"fmt"
	"slices"

	"github.com/fedlam/fedlam/kernels"
)

// An Exec runs a program on batches with numbers of type F. It owns the parameters and all memory, and starts its
// workers anew in each Run, so it needs no closing. It is for one goroutine at a time.
//
// The results have the same bits for any number of threads: work is cut into pieces by sizes alone, and sums over
// pieces are combined in their order.
type Exec[F kernels.Float] struct {
	program *Program
	fused   []*kernels.Fused[F] // by number of a tileProgram
	buffers []int               // likewise: registers that are not memory of values
	params  map[string][]F
	view[F] // of the whole batch

	// The batch under way.
	sizes    []int      // by axis, those of pairs last
	pairMost []int      // by pairs: the most rows of a centre
	ready    []int      // index maps that are being bound
	checks   []mapCheck // likewise: pieces of them
	bound    []error    // likewise: what came of it

	// The plan, good for the sizes in planned.
	planned   []int
	hasPlan   bool
	plan      planner
	regions   []regionPlan
	localAt   []int      // by value: offset in the memory of a worker, for local ones
	blockings []blocking // by level, those of levels that regions use
	arena     []F
	work      []work    // by step
	partial   []F       // sums over pieces of a step
	partial8  []float64 // likewise

	frozen  bool // what follows from parameters alone is there
	pool    *pool
	other   func(piece int) // of otherJob
	scratch []*scratch[F]   // by worker
	profile *profile

	available func() int64
	watch     func(done float64)
}

// scratch is the memory of one worker.
type scratch[F kernels.Float] struct {
	regs   [][]F // registers of a tileProgram
	buffer []F
	narrow []F // a column of a tile
	sums   []float64

	block view[F] // of the block under way
	local []F     // memory of values that only a region knows
}

// NewExec returns an Exec with parameters of zeros, for threads workers (at least one).
func NewExec[F kernels.Float](p *Program, threads int) *Exec[F] {
	e := &Exec[F]{program: p, params: map[string][]F{}, work: make([]work, len(p.steps))}
	e.fuse()
	e.vals = make([][]F, len(p.values))
	for i, v := range p.values {
		switch v.where {
		case inParam:
			e.vals[i] = make([]F, v.rows.mul*v.cols)
			e.params[v.name] = e.vals[i]
		case inFrozen:
			e.vals[i] = make([]F, v.rows.mul*v.cols)
		case inConst:
			e.vals[i] = make([]F, len(v.data))
			kernels.Convert(e.vals[i], v.data)
		}
	}
	threads = max(threads, 1)
	e.pool = newPool(threads, e.piece)
	for range threads {
		block := view[F]{make([][]F, len(p.values)), make([]indexState, len(p.indices)), make([][]int32, len(p.pairs))}
		e.scratch = append(e.scratch, &scratch[F]{block: block})
	}
	return e
}

// Close does nothing: see NewExec.
func (e *Exec[F]) Close() error { return nil }

// Threads returns the number of workers.
func (e *Exec[F]) Threads() int { return len(e.scratch) }

// Param returns the storage of a parameter, row-major, to be read and written between runs; nil if the program has no
// such parameter.
func (e *Exec[F]) Param(name string) []F { return e.params[name] }

// Thaw says that parameters have been changed, to a program compiled with Options.Frozen.
func (e *Exec[F]) Thaw() { e.frozen = false }

// Read does nothing: what Run has computed is here. It makes an Exec and a DeviceExec interchangeable.
func (e *Exec[F]) Read(...string) error { return nil }

// Output returns the values of an output, row-major; they are valid until the next Run. It is nil before the first Run
// and for names that are not outputs.
func (e *Exec[F]) Output(name string) []F {
	if id, ok := e.program.outputs[name]; ok {
		return e.vals[id]
	}
	return nil
}

// Run computes all outputs. It fails, without having computed anything, if the batch lacks something, a length is
// wrong or an index points outside. Once it has seen sizes as large as those of b, it allocates nothing.
func (e *Exec[F]) Run(b *Batch[F]) error {
	e.pool.start()
	defer e.pool.stop()
	if err := e.bind(b); err != nil {
		return fmt.Errorf("run graph: %w", err)
	}
	if !e.hasPlan || !slices.Equal(e.sizes, e.planned) {
		e.chooseBlocks()
		e.hasPlan = false
	}
	if fits := e.block(); !fits || !e.hasPlan {
		e.hasPlan = false
		if err := e.layOut(); err != nil {
			return fmt.Errorf("run graph: %w", err)
		}
		copy(e.planned, e.sizes)
		e.hasPlan = true
	}
	e.growPairs()
	e.viewInputs()
	e.runSteps()
	return nil
}

// runSteps does all steps in their order.
func (e *Exec[F]) runSteps() {
	var done, total int64
	if e.watch != nil {
		total = e.totalFLOP()
	}
	for i := 0; i < len(e.program.steps); i++ {
		first := i
		switch s := &e.program.steps[i]; {
		case s.region != none:
			e.runRegion(s.region)
			i = e.program.regions[s.region].last
		case !s.frozen || !e.frozen:
			e.step(i)
		}
		if e.watch != nil {
			done = e.progress(done, total, first, i)
		}
	}
	e.frozen = true
}

// Kinds of jobs, with what their item is.
const (
	stepJob   jobKind = iota // step
	regionJob                // region
	checkJob                 // none; pieces are those of the index maps that are ready to be bound
	indexJob                 // none; pieces are these maps
	otherJob                 // none; pieces are those of what embeds the Exec
)

// piece does one piece of a job.
func (e *Exec[F]) piece(j job, piece, worker int) {
	switch j.kind {
	case stepJob:
		e.chunk(j.item, piece, worker)
	case regionJob:
		e.regionPiece(j.item, piece, worker)
	case checkJob:
		e.prove(&e.checks[piece])
	case indexJob:
		e.bound[piece] = e.bindIndex(e.ready[piece])
	case otherJob:
		e.other(piece)
	}
}

// viewInputs lets the views of inputs point at the slices of this batch.
func (e *Exec[F]) viewInputs() {
	for i := range e.program.values {
		v := &e.program.values[i]
		if v.where == inView {
			e.vals[i] = e.vals[v.root]
		}
	}
}

// work is how a step is cut into pieces for given sizes.
type work struct {
	rows   int // of the operand that is cut: rows or segments
	grain  int // rows of a piece
	pieces int
	across bool // a product that sums over rows, cut by rows of the result
}

func (w *work) bounds(piece int) (from, to int) {
	from = piece * w.grain
	return from, min(from+w.grain, w.rows)
}

func (e *Exec[F]) step(i int) {
	e.profile.begin(i)
	switch n := e.work[i].pieces; n {
	case 0:
	case 1:
		e.chunk(i, 0, 0)
	default:
		e.pool.run(job{stepJob, i}, n)
	}
	e.finish(i)
	e.profile.end()
}
