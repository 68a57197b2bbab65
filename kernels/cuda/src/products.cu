// Products of matrices.
#include "product.h"

// Tiles by the width of c. Sums that are long and results that are small go through split products, below.
template <class F> struct Tiles;
template <> struct Tiles<float> {
  using Large = Tile<128, 64, 16, 8, 8>;   // 128 threads
  using Square = Tile<64, 64, 16, 4, 8>;   // 128 threads
  using Narrow = Tile<64, 32, 16, 4, 4>;   // 128 threads
  using Column = Tile<128, 8, 16, 4, 2>;   // 128 threads
};
template <> struct Tiles<double> {
  using Large = Tile<64, 64, 8, 8, 4>;     // 128 threads; processors with slow float64 are bound by it whatever the tile
  using Square = Tile<64, 64, 8, 8, 4>;
  using Narrow = Tile<64, 32, 8, 4, 4>;
  using Column = Tile<128, 8, 8, 4, 2>;
};

template <class F, bool TA> DEVICE Matrix<F> left(const F *a, int m, int k) { return TA ? Matrix<F>{a, 1, m} : Matrix<F>{a, k, 1}; }
template <class F, bool TB> DEVICE Matrix<F> right(const F *b, int k, int n) { return TB ? Matrix<F>{b, 1, k} : Matrix<F>{b, n, 1}; }

// Blocks go down the rows of c, columns of tiles in the second dimension of the grid: neighbours in time share rows of b.
template <class F, class T, bool TA, bool TB> DEVICE void matmul(F *c, const F *a, const F *b, int m, int k, int n) {
  product<F, T, !TA, TB>(c, n, 1, left<F, TA>(a, m, k), right<F, TB>(b, k, n), m, n, k, blockIdx.x * T::BM, blockIdx.y * T::BN, false);
}

// The transpose of a (k x m, rows of lda) times b, its sum cut into pieces of so many terms: piece s goes to part s of
// partial, m x n each. Blocks are numbered tile by tile of a piece, tiles of c in the second dimension.
template <class F, class T>
DEVICE void matmul_tn_split(F *partial, const F *a, const F *b, int m, int lda, int k, int n, int piece) {
  int across = (n + T::BN - 1) / T::BN, i = blockIdx.y / across, j = blockIdx.y % across;
  i64 first = (i64)blockIdx.x * piece;
  Matrix<F> x{a + first * lda, 1, lda}, y{b + first * n, n, 1};
  product<F, T, false, false>(partial + (i64)blockIdx.x * m * n, n, 1, x, y, m, n, least(piece, k - (int)first), i * T::BM, j * T::BN,
                              false);
}

// c = the sum of all pieces, in their order, plus c if add is not 0. Eight loads are under way at a time.
template <class F> DEVICE void add_pieces(F *c, const F *partial, int pieces, i64 count, int add) {
  for (i64 i = thread_of_grid(); i < count; i += threads_of_grid()) {
    double sum = add ? (double)c[i] : 0.;
    for (int p = 0; p < pieces; p += 8) {
      F x[8];
      UNROLL
      for (int q = 0; q < 8; q++) x[q] = p + q < pieces ? partial[(p + q) * count + i] : F(0);
      UNROLL
      for (int q = 0; q < 8; q++) sum += (double)x[q];
    }
    c[i] = (F)sum;
  }
}

// Many small products, one in each row of the operands: each thread computes numbers of c, reading its operands through the
// first-level cache. Bound by memory as long as the matrices are small.
template <class F> DEVICE void batch_matmul(F *c, const F *a, const F *b, i64 batch, int transA, int transB, int m, int k, int n) {
  i64 each = (i64)m * n;
  int ai = transA ? 1 : k, ap = transA ? m : 1, bp = transB ? 1 : n, bj = transB ? k : 1;
  for (i64 x = thread_of_grid(); x < batch * each; x += threads_of_grid()) {
    i64 r = x / each;
    int at = (int)(x - r * each), i = at / n, j = at % n;
    const F *p = a + r * m * k + i * ai, *q = b + r * k * n + j * bj;
    F sum = 0;
    for (int t = 0; t < k; t++) sum = muladd(p[(i64)t * ap], q[(i64)t * bp], sum);
    c[x] = sum;
  }
}

#define DENSE(name, F, T, TA, TB)                                                            \
  DENSE_KERNEL(name, T::threads, sizeof(F) == 4 && T::BM * T::BN < 128 * 64 ? 4 : 3, (F * c, const F *a, const F *b, int m, int k, int n),            \
         matmul<F, T, TA, TB>(c, a, b, m, k, n))
#define SPLIT(name, F, T)                                                                                               \
  DENSE_KERNEL(name, T::threads, sizeof(F) == 4 ? 4 : 3, (F * partial, const F *a, const F *b, int m, int lda, int k, int n, int piece),             \
         matmul_tn_split<F, T>(partial, a, b, m, lda, k, n, piece))

#define INSTANCE(F, s)                                                                                        \
  DENSE(matmul_large_##s, F, Tiles<F>::Large, false, false)                                                  \
  DENSE(matmul_square_##s, F, Tiles<F>::Square, false, false)                                                \
  DENSE(matmul_narrow_##s, F, Tiles<F>::Narrow, false, false)                                                \
  DENSE(matmul_column_##s, F, Tiles<F>::Column, false, false)                                                \
  DENSE(matmul_nt_square_##s, F, Tiles<F>::Square, false, true)                                              \
  DENSE(matmul_nt_column_##s, F, Tiles<F>::Column, false, true)                                              \
  DENSE(matmul_tt_##s, F, Tiles<F>::Narrow, true, true)                                                      \
  SPLIT(matmul_tn_square_##s, F, Tiles<F>::Square)                                                           \
  SPLIT(matmul_tn_narrow_##s, F, Tiles<F>::Narrow)                                                           \
  KERNEL(add_pieces_##s, 256, (F * c, const F *partial, int pieces, i64 count, int add),                     \
         add_pieces(c, partial, pieces, count, add))                                                         \
  KERNEL(batch_matmul_##s, 256,                                                                              \
         (F * c, const F *a, const F *b, i64 batch, int transA, int transB, int m, int k, int n),            \
         batch_matmul(c, a, b, batch, transA, transB, m, k, n))
BOTH(INSTANCE)
