// Elementwise arithmetic in several steps: an interpreter of formulas, with all that a fused step of a graph does while numbers
// are loaded and stored: rows are gathered, columns put together, one row, column or number repeated; and sums over columns
// or over rows are taken of the results.
//
// A block works on a tile of numbers. The registers of the formula are lines of shared memory, one number of each for each
// of the tile's; a thread keeps to its own numbers, so steps need no barriers. An instruction is decoded once for up to
// four numbers of a thread.
//
// Predicted: with 4 numbers a thread and instruction, 20 instructions to decode and branch are spread over 128 numbers of a
// warp; formulas of up to 3 instructions reach 70 % of bandwidth, longer ones are bound by the interpreter, at about 8
// instructions of the processor for one of the formula and number. Tiles have code of their own where the driver takes it, see
// emit.go; this is what they are held to, bit by bit.
#include "maths.h"

enum Op : u8 {
  opCopy, opAdd, opSub, opMul, opNeg, opScale, opAddScalar, opTanh, opExp, opSqrt, opRecip, opSigmoid, opSoftplus, opSquare,
  opSwitch, opStep, opMulMul, opAddScaled, opMulAdd, opMulSub, opSubMul, opQuadratic
};

// An instruction; its numbers begin at constants[k].
struct Instr { u8 op, dst, a, b, c, n; u16 k; };

// How the column of a source follows from the column c of the tile.
enum { shifted, fixed, listed };

// A part fills columns at to at+cols of a register: number (r, c) is src[index[r]*stride + column], where the column is from+c,
// from, or map[c]; index may be null: r.
struct Part {
  const void *src;
  const int *index, *map;
  i64 stride;
  int from, at, cols;
  u8 reg, mode, zero, spare;  // zero: the register is set to 0 first
};

// A store takes a register to dst as it is, or its sums over each row, or leaves sums over the rows of a block in dst.
enum { whole, sumCols, sumRows };
struct Store { void *dst; int reg, kind; };

constexpr int mostParts = 40, mostStores = 16, mostInstrs = 64, mostConstants = 96, threads = 128, mostNumbers = 4;

template <int P, int S, int I, int K> struct Program {
  i64 rows;
  int cols, parts, stores, instrs;
  int numbers;   // of a tile: threads times 4, 2, 1, 1/2 or 1/4, by how many registers there are
  int flat;      // all parts are whole, and nothing is summed: rows do not matter
  int sums;      // some store sums
  int registers;
  Part part[P];
  Store store[S];
  Instr instr[I];
  double constant[K];
};

DEVICE double switch_of(double x, const double *p) {
  double u = (x - p[0]) * p[1];
  if (u < 0) return p[2];
  if (u > 1) return 0;
  double v = p[8];  // NaN too
  UNROLL
  for (int i = 7; i >= 3; i--) v = v * u + p[i];
  return v;
}

// step does one instruction on those of n numbers that are this thread's. Each operation has a loop of its own, which reads
// the operands that it has.
template <class F> DEVICE void step(const Instr &in, F *dst, const F *a, const F *b, const F *c, const double *k, int n) {
  const F s = (F)k[0], t = (F)k[1];
#define DO(op, value) \
  case op:            \
    for (int x = threadIdx.x; x < n; x += threads) dst[x] = value; \
    break;
  switch (in.op) {
    DO(opCopy, a[x])
    DO(opAdd, a[x] + b[x])
    DO(opSub, a[x] - b[x])
    DO(opMul, a[x] * b[x])
    DO(opNeg, -a[x])
    DO(opScale, s * a[x])
    DO(opAddScalar, a[x] + s)
    DO(opTanh, tanh_of(a[x]))
    DO(opExp, exp_of(a[x]))
    DO(opSqrt, root(a[x]))
    DO(opRecip, 1 / a[x])
    DO(opSigmoid, sigmoid_of(a[x]))
    DO(opSoftplus, softplus_of(a[x]))
    DO(opSquare, a[x] * a[x])
    DO(opSwitch, (F)switch_of(a[x], k))
    DO(opStep, a[x] >= 0 ? F(1) : F(0))
    DO(opMulMul, s * a[x] * b[x])
    DO(opAddScaled, muladd(s, b[x], a[x]))
    DO(opMulAdd, muladd(a[x], b[x], c[x]))
    DO(opMulSub, muladd(a[x], b[x], -c[x]))
    DO(opSubMul, muladd(-a[x], b[x], c[x]))
    DO(opQuadratic, muladd(s * a[x], a[x], t))
  }
#undef DO
}

// A tile: n numbers that begin in row r0 at column c0.
struct Where { i64 r0; int c0, n; };

// Places are the rows, counted from that of the tile's first number, and the columns of a thread's numbers; divisions are
// made once for all parts.
struct Places { int row[mostNumbers], col[mostNumbers]; };

DEVICE Places find_places(const Where &w, int cols) {
  Places p;
  UNROLL
  for (int v = 0; v < mostNumbers; v++) {
    const unsigned x = (unsigned)(w.c0 + (int)threadIdx.x + v * threads), down = x / (unsigned)cols;
    p.row[v] = (int)down;
    p.col[v] = (int)(x - down * (unsigned)cols);
  }
  return p;
}

// load fills a register with what one part has of the tile.
template <class F> DEVICE void load(F *reg, const Part &part, const Where &w, const Places &places) {
  const F *src = (const F *)part.src;
  UNROLL
  for (int v = 0; v < mostNumbers; v++) {
    const int i = threadIdx.x + v * threads, c = places.col[v];
    if (i >= w.n) break;
    if (part.zero) reg[i] = 0;
    if (c < part.at || c >= part.at + part.cols) continue;
    const i64 r = w.r0 + places.row[v];
    const i64 row = part.index ? part.index[r] : r;
    const i64 column = part.mode == shifted ? part.from + c : part.mode == fixed ? part.from : part.map[c];
    reg[i] = src[row * part.stride + column];
  }
}

// load_flat does the same for a part that is a matrix of the tile's shape.
template <class F> DEVICE void load_flat(F *reg, const Part &part, const Where &w, int cols) {
  const F *src = (const F *)part.src + w.r0 * cols + w.c0;
  for (int i = threadIdx.x; i < w.n; i += threads) reg[i] = src[i];
}

// sum_cols stores the sum of each of the rows of a tile; lanes of threads share a row. If a row is cut into several tiles,
// carry holds the sum so far.
template <class F> DEVICE void sum_cols(F *dst, const F *reg, double *partial, double *carry, const Where &w, int width, bool first, bool last) {
  int rows = w.n / width, lanes = threads / rows;
  if (lanes == 0) lanes = 1;
  int row = threadIdx.x / lanes, lane = threadIdx.x % lanes;
  for (int r0 = 0; r0 < rows; r0 += threads / lanes) {
    double sum = 0;
    if (r0 + row < rows && row < threads / lanes)
      for (int c = lane; c < width; c += lanes) sum += (double)reg[(r0 + row) * width + c];
    partial[threadIdx.x] = sum;
    barrier();
    int mine = threadIdx.x;
    if (mine < threads / lanes && r0 + mine < rows) {
      double all = first ? 0 : *carry;
      for (int l = 0; l < lanes; l++) all += partial[mine * lanes + l];
      if (last)
        dst[w.r0 + r0 + mine] = (F)all;
      else
        *carry = all;
    }
    barrier();
  }
}

// sum_rows adds the sums over the rows of a tile to those of the block, or sets them if begin.
template <class F> DEVICE void sum_rows(double *block, const F *reg, double *partial, const Where &w, int width, bool begin) {
  int rows = w.n / width;
  for (int c0 = 0; c0 < width; c0 += threads) {
    int part = least(threads, width - c0), lanes = threads / part, c = threadIdx.x % part, lane = threadIdx.x / part;
    double sum = 0;
    if (lane < lanes)
      for (int r = lane; r < rows; r += lanes) sum += (double)reg[r * width + c0 + c];
    partial[threadIdx.x] = sum;
    barrier();
    if (threadIdx.x < (unsigned)part) {
      double all = begin ? 0 : block[w.c0 + c0 + threadIdx.x];
      for (int l = 0; l < lanes; l++) all += partial[l * part + threadIdx.x];
      block[w.c0 + c0 + threadIdx.x] = all;
    }
    barrier();
  }
}

template <class F, class P> DEVICE void tile(F *regs, const P &p, const Where &w, int stride) {
  if (p.flat) {
    for (int i = 0; i < p.parts; i++) load_flat(regs + p.part[i].reg * stride, p.part[i], w, p.cols);
  } else {
    const Places places = find_places(w, p.cols);
    for (int i = 0; i < p.parts; i++) load(regs + p.part[i].reg * stride, p.part[i], w, places);
  }
  for (int i = 0; i < p.instrs; i++) {
    Instr in = p.instr[i];
    step(in, regs + in.dst * stride, regs + in.a * stride, regs + in.b * stride, regs + in.c * stride, p.constant + in.k, w.n);
  }
  for (int i = 0; i < p.stores; i++) {
    if (p.store[i].kind != whole) continue;
    F *dst = (F *)p.store[i].dst + w.r0 * p.cols + w.c0;
    const F *reg = regs + p.store[i].reg * stride;
    for (int x = threadIdx.x; x < w.n; x += threads) dst[x] = reg[x];
  }
}

template <class F, class P> DEVICE void formula(const P &p) {
  F *regs = (F *)dynamic_shared;
  SHARED double partial[threads], carry[mostStores];
  const int stride = p.numbers, cols = p.cols;
  if (!p.sums) {
    i64 count = p.rows * cols;
    for (i64 at = (i64)blockIdx.x * stride; at < count; at += (i64)gridDim.x * stride) {
      Where w;
      w.r0 = at / cols;
      w.c0 = (int)(at - w.r0 * cols);
      w.n = count - at < stride ? (int)(count - at) : stride;
      tile<F>(regs, p, w, stride);
    }
    return;
  }
  const int width = least(cols, stride), high = stride / width;
  const i64 bands = (p.rows + high - 1) / high;
  for (i64 band = blockIdx.x; band < bands; band += gridDim.x) {
    Where w;
    w.r0 = band * high;
    const int rows = p.rows - w.r0 < high ? (int)(p.rows - w.r0) : high;
    for (w.c0 = 0; w.c0 < cols; w.c0 += width) {
      const int across = least(width, cols - w.c0);
      w.n = rows * across;
      tile<F>(regs, p, w, stride);
      barrier();
      for (int i = 0; i < p.stores; i++) {
        const Store &s = p.store[i];
        const F *reg = regs + s.reg * stride;
        if (s.kind == sumCols) sum_cols((F *)s.dst, reg, partial, carry + i, w, across, w.c0 == 0, w.c0 + width >= cols);
        if (s.kind == sumRows) sum_rows((double *)s.dst + (i64)blockIdx.x * cols, reg, partial, w, across, band == blockIdx.x);
      }
    }
  }
}

using Small = Program<6, 4, 12, 16>;
using Large = Program<mostParts, mostStores, mostInstrs, mostConstants>;
static_assert(sizeof(Large) <= 4096, "arguments of a kernel");

#define INSTANCE(F, s)                                                                  \
  KERNEL(formula_small_##s, threads, (const Small p), (formula<F, Small>(p)))          \
  KERNEL(formula_large_##s, threads, (const Large p), (formula<F, Large>(p)))
BOTH(INSTANCE)
