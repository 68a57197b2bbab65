// The product of two matrices by one block of threads, which all kernels of products, segments and pairs are made of.
//
// A block computes BM x BN numbers of c, each thread TM x TN of them in registers. Of a and b it brings BK columns and rows
// at a time into shared memory: while it multiplies those of one buffer, the next ones are on their way from memory to
// registers, and go to the other buffer, so there is one barrier for each BK. Each number is one sum over k in ascending
// order with fused multiply-adds, so its bits do not depend on the tile it falls into.
//
// In shared memory numbers that belong to one k lie side by side, for a as for b. A thread reads them in fours; its rows and
// columns come in groups of four that lie BM/(TM/4) apart, so that the threads of a warp read adjacent fours (no conflicts) or
// the same (a broadcast).
//
// Predicted, of peak float32: 128 x 64 tiles with 64 numbers a thread take 16 reads of 16 bytes from shared memory for 256
// multiply-adds; 168 registers leave room for 3 blocks of 128 threads on a multiprocessor: 60 to 70 % at k, n >= 128, less
// as k approaches BK. 64 x 64 tiles have 4 blocks and 12 reads for 128 multiply-adds: 50 to 60 %.
#pragma once
#include "shim.h"

template <int M, int N, int K, int TM_, int TN_> struct Tile {
  static constexpr int BM = M, BN = N, BK = K, TM = TM_, TN = TN_;
  static constexpr int threads = (M / TM_) * (N / TN_);
};

// A matrix whose element (i, j) is p[i*row + j*col].
template <class F> struct Matrix { const F *p; i64 row, col; };

// Strip is a piece of a factor on its way to shared memory: K numbers along the sum, W across, four at a time. AlongK says in
// which direction the four are adjacent in memory.
template <class F, int W, int K, int threads, bool AlongK, int Pad = 4> struct Strip {
  static constexpr int fours = W * K / 4, each = (fours + threads - 1) / threads, pitch = W + Pad;
  Four<F> held[each];

  // load takes the strip that begins at k0 along the sum and w0 across, zeros beyond the ends. across and along are the
  // strides; vector says that fours are aligned.
  DEVICE_METHOD void load(const F *p, i64 across, i64 along, int w0, int k0, int w, int k, bool vector) {
    UNROLL
    for (int e = 0; e < each; e++) {
      int at = e * threads + threadIdx.x;
      if (fours % threads != 0 && at >= fours) break;
      int x = AlongK ? at / (K / 4) : at % (W / 4) * 4, y = AlongK ? at % (K / 4) * 4 : at / (W / 4);
      int wi = w0 + x, ki = k0 + y;
      const F *from = p + wi * across + ki * along;
      bool whole = AlongK ? wi < w && ki + 3 < k : wi + 3 < w && ki < k;
      if (vector && whole) {
        held[e] = fetch4(from);
        continue;
      }
      UNROLL
      for (int i = 0; i < 4; i++) {
        bool inside = AlongK ? wi < w && ki + i < k : wi + i < w && ki < k;
        held[e].x[i] = inside ? from[i * (AlongK ? along : across)] : F(0);
      }
    }
  }

  DEVICE_METHOD void store(F *shared) const {
    UNROLL
    for (int e = 0; e < each; e++) {
      int at = e * threads + threadIdx.x;
      if (fours % threads != 0 && at >= fours) break;
      int x = AlongK ? at / (K / 4) : at % (W / 4) * 4, y = AlongK ? at % (K / 4) * 4 : at / (W / 4);
      if (!AlongK) {
        store4(shared + y * pitch + x, held[e]);
        continue;
      }
      UNROLL
      for (int i = 0; i < 4; i++) shared[(y + i) * pitch + x] = held[e].x[i];
    }
  }
};

// place returns which row or column of the tile number i of a thread's T is.
template <int B, int T> DEVICE int place(int thread, int i) {
  constexpr int V = T < 4 ? T : 4;
  return i / V * (B / (T / V)) + thread * V + i % V;
}

// read takes the T numbers of a thread out of a line of shared memory.
template <class F, int B, int T> DEVICE void read_line(F *to, const F *line, int thread) {
  if (T >= 4) {
    UNROLL
    for (int i = 0; i < T; i += 4) {
      Four<F> v = load4(line + place<B, T>(thread, i));
      UNROLL
      for (int j = 0; j < 4; j++) to[i + j] = v.x[j];
    }
    return;
  }
  UNROLL
  for (int i = 0; i < T; i++) to[i] = line[place<B, T>(thread, i)];
}

// product computes the tile of c = a*b that begins at row i0 and column j0; c is m x n with element (i, j) at
// c[i*cRow + j*cCol], the sums have k terms. With add, the sums are added to c. AK says that a is adjacent along k (otherwise
// along rows), BK that b is (otherwise along columns): the stride in that direction should be 1. All threads of the block
// take part.
template <class F, class T, bool AK, bool BK>
DEVICE void product(F *c, i64 cRow, i64 cCol, Matrix<F> a, Matrix<F> b, int m, int n, int k, int i0, int j0, bool add) {
  using StripA = Strip<F, T::BM, T::BK, T::threads, AK>;
  using StripB = Strip<F, T::BN, T::BK, T::threads, BK>;
  SHARED_ALIGNED F as[2][T::BK * StripA::pitch];
  SHARED_ALIGNED F bs[2][T::BK * StripB::pitch];
  static_assert(sizeof(as) + sizeof(bs) <= 48 * 1024, "shared memory");
  const int tx = threadIdx.x % (T::BN / T::TN), ty = threadIdx.x / (T::BN / T::TN);
  const bool va = AK ? a.col == 1 && aligned(a.p, a.row) : a.row == 1 && aligned(a.p, a.col);
  const bool vb = BK ? b.row == 1 && aligned(b.p, b.col) : b.col == 1 && aligned(b.p, b.row);

  F sum[T::TM][T::TN];
  UNROLL
  for (int i = 0; i < T::TM; i++)
    UNROLL
    for (int j = 0; j < T::TN; j++) sum[i][j] = 0;

  StripA sa;
  StripB sb;
  sa.load(a.p, a.row, a.col, i0, 0, m, k, va);
  sb.load(b.p, b.col, b.row, j0, 0, n, k, vb);
  barrier();  // of a tile before this one
  sa.store(as[0]);
  sb.store(bs[0]);
  barrier();
  for (int k0 = 0, buffer = 0; k0 < k; k0 += T::BK, buffer ^= 1) {
    const bool more = k0 + T::BK < k;
    if (more) {
      sa.load(a.p, a.row, a.col, i0, k0 + T::BK, m, k, va);
      sb.load(b.p, b.col, b.row, j0, k0 + T::BK, n, k, vb);
    }
    UNROLL
    for (int q = 0; q < T::BK; q++) {
      F x[T::TM], y[T::TN];
      read_line<F, T::BM, T::TM>(x, as[buffer] + q * StripA::pitch, ty);
      read_line<F, T::BN, T::TN>(y, bs[buffer] + q * StripB::pitch, tx);
      UNROLL
      for (int i = 0; i < T::TM; i++)
        UNROLL
        for (int j = 0; j < T::TN; j++) sum[i][j] = muladd(x[i], y[j], sum[i][j]);
    }
    if (more) {
      sa.store(as[buffer ^ 1]);
      sb.store(bs[buffer ^ 1]);
      barrier();
    }
  }

  const bool vc = T::TN >= 4 && !add && cCol == 1 && aligned(c, cRow);
  UNROLL
  for (int i = 0; i < T::TM; i++) {
    int r = i0 + place<T::BM, T::TM>(ty, i);
    if (r >= m) continue;
    UNROLL
    for (int j = 0; j < T::TN; j += 4) {
      int q = j0 + place<T::BN, T::TN>(tx, j);
      F *to = c + r * cRow + q * cCol;
      if (vc && q + 3 < n) {
        Four<F> v;
        UNROLL
        for (int l = 0; l < 4 && j + l < T::TN; l++) v.x[l] = sum[i][j + l];
        store4(to, v);
        continue;
      }
      UNROLL
      for (int l = 0; l < 4 && j + l < T::TN; l++)
        if (q + l < n) to[l * cCol] = add ? to[l * cCol] + sum[i][j + l] : sum[i][j + l];
    }
  }
}

// all_tiles computes all of c, tile by tile, by one block.
template <class F, class T, bool AK, bool BK>
DEVICE void all_tiles(F *c, i64 cRow, i64 cCol, Matrix<F> a, Matrix<F> b, int m, int n, int k) {
  for (int i0 = 0; i0 < m; i0 += T::BM)
    for (int j0 = 0; j0 < n; j0 += T::BN) product<F, T, AK, BK>(c, cRow, cCol, a, b, m, n, k, i0, j0, false);
}
