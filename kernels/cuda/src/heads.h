// Products over the pairs of a segment for four heads at once, by a block of 256 threads. The four numbers of a pair are
// adjacent in memory, so neighbouring threads take the heads of one pair: 32 threads read or write 128 adjacent bytes of pairs
// (8 pairs of 4 heads), or 32 of each head's columns of a row.
//
// A block computes side x side numbers of each head; thread (h, tx, ty) those of head h in rows 4*ty to 4*ty+3 and columns tx,
// tx+8, tx+16, tx+24. Strips of both factors go through two buffers in shared memory as in product.h, deep terms of the
// sums at a time. The lines of the heads are shifted against each other, by 4 banks for the left factor and by 8 for the right,
// so that a warp's reads meet all banks.
//
// Predicted: 5 reads of shared memory for 16 multiply-adds, so at most 80 % of peak float32 and about 50 % with loads and
// tails of segments; pair_dot is also bound by writing 16 bytes for every 8*d operations.
#pragma once
#include "shim.h"

constexpr int headThreads = 256, side = 32, deep = 8, line = side + 4, leftHead = deep * line + 4, rightHead = deep * line + 8;

enum PairOp { dot, apply, applyT };

// Rows as a left or right factor of dot: the sum goes along columns. Each thread has four columns of one head of one row.
template <class F, int head> struct RowStrip {
  Four<F> held;
  DEVICE_METHOD void load(const F *p, int row0, int k0, int n, int d, bool vector) {
    const int k = k0 + threadIdx.x % 2 * 4, h = threadIdx.x / 2 % 4, r = row0 + threadIdx.x / 8;
    const F *from = p + (i64)r * 4 * d + h * d + k;
    if (vector && r < n && k + 3 < d) {
      held = fetch4(from);
      return;
    }
    UNROLL
    for (int i = 0; i < 4; i++) held.x[i] = r < n && k + i < d ? from[i] : F(0);
  }
  DEVICE_METHOD void store(F *shared) const {
    F *to = shared + threadIdx.x / 2 % 4 * head + threadIdx.x % 2 * 4 * line + threadIdx.x / 8;
    UNROLL
    for (int i = 0; i < 4; i++) to[i * line] = held.x[i];
  }
};

// Rows as the right factor of apply and applyT: the sum goes along rows.
template <class F> struct ValueStrip {
  Four<F> held;
  DEVICE_METHOD void load(const F *p, int c0, int k0, int n, int d, bool vector) {
    const int c = c0 + threadIdx.x % 8 * 4, h = threadIdx.x / 8 % 4, r = k0 + threadIdx.x / 32;
    const F *from = p + (i64)r * 4 * d + h * d + c;
    if (vector && r < n && c + 3 < d) {
      held = fetch4(from);
      return;
    }
    UNROLL
    for (int i = 0; i < 4; i++) held.x[i] = r < n && c + i < d ? from[i] : F(0);
  }
  DEVICE_METHOD void store(F *shared) const {
    store4(shared + threadIdx.x / 8 % 4 * rightHead + threadIdx.x / 32 * line + threadIdx.x % 8 * 4, held);
  }
};

// Weights of pairs, or their transposes, as the left factor of apply and applyT. Each thread has all heads of one pair.
template <class F, bool transposed> struct WeightStrip {
  Four<F> held;
  DEVICE_METHOD void load(const F *p, int row0, int k0, int n, int, bool vector) {
    const int r = row0 + (transposed ? threadIdx.x % 32 : threadIdx.x / 8), k = k0 + (transposed ? threadIdx.x / 32 : threadIdx.x % 8);
    const F *from = p + (transposed ? (i64)k * n + r : (i64)r * n + k) * 4;
    if (vector && r < n && k < n) {
      held = fetch4(from);
      return;
    }
    UNROLL
    for (int i = 0; i < 4; i++) held.x[i] = r < n && k < n ? from[i] : F(0);
  }
  DEVICE_METHOD void store(F *shared) const {
    F *to = shared + (transposed ? threadIdx.x / 32 * line + threadIdx.x % 32 : threadIdx.x % 8 * line + threadIdx.x / 8);
    UNROLL
    for (int h = 0; h < 4; h++) to[h * leftHead] = held.x[h];
  }
};

template <class F, int op> struct Strips;
template <class F> struct Strips<F, dot> { using Left = RowStrip<F, leftHead>; using Right = RowStrip<F, rightHead>; };
template <class F> struct Strips<F, apply> { using Left = WeightStrip<F, false>; using Right = ValueStrip<F>; };
template <class F> struct Strips<F, applyT> { using Left = WeightStrip<F, true>; using Right = ValueStrip<F>; };

// four_heads does the tile of c at row i0 and column j0, for a segment of n rows, heads d wide.
template <class F, int op> DEVICE void four_heads(F *c, const F *x, const F *y, int n, int d, int i0, int j0) {
  SHARED_ALIGNED F left[2][4 * leftHead];
  SHARED_ALIGNED F right[2][4 * rightHead];
  static_assert(sizeof(left) + sizeof(right) <= 48 * 1024, "shared memory");
  const int h = threadIdx.x % 4, tx = threadIdx.x / 4 % 8, ty = threadIdx.x / 32;
  const int k = op == dot ? d : n, cols = op == dot ? n : d;
  const bool even = d % 4 == 0, vx = op == dot ? even && aligned(x, 4 * d) : aligned(x, 4), vy = even && aligned(y, 4 * d);
  F sum[4][4];
  UNROLL
  for (int i = 0; i < 4; i++)
    UNROLL
    for (int j = 0; j < 4; j++) sum[i][j] = 0;

  typename Strips<F, op>::Left sx;
  typename Strips<F, op>::Right sy;
  sx.load(x, i0, 0, n, d, vx);
  sy.load(y, j0, 0, n, d, vy);
  barrier();  // of a tile before this one
  sx.store(left[0]);
  sy.store(right[0]);
  barrier();
  for (int k0 = 0, buffer = 0; k0 < k; k0 += deep, buffer ^= 1) {
    const bool more = k0 + deep < k;
    if (more) {
      sx.load(x, i0, k0 + deep, n, d, vx);
      sy.load(y, j0, k0 + deep, n, d, vy);
    }
    UNROLL
    for (int q = 0; q < deep; q++) {
      const Four<F> u = load4(left[buffer] + h * leftHead + q * line + ty * 4);
      const F *v = right[buffer] + h * rightHead + q * line + tx;
      UNROLL
      for (int j = 0; j < 4; j++)
        UNROLL
        for (int i = 0; i < 4; i++) sum[i][j] = muladd(u.x[i], v[j * 8], sum[i][j]);
    }
    if (more) {
      sx.store(left[buffer ^ 1]);
      sy.store(right[buffer ^ 1]);
      barrier();
    }
  }
  UNROLL
  for (int i = 0; i < 4; i++)
    UNROLL
    for (int j = 0; j < 4; j++) {
      const int r = i0 + ty * 4 + i, q = j0 + tx + j * 8;
      if (r < n && q < cols) c[op == dot ? ((i64)r * n + q) * 4 + h : (i64)r * 4 * d + h * d + q] = sum[i][j];
    }
}
