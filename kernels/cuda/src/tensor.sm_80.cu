// Products in TF32, for tensor cores since Ampere: factors have 10 bits of fraction, sums are float32. Errors of single
// terms are up to 2^-10, so callers ask for it by name.
//
// A block of four warps does a tile of c, each warp a quarter of it by fragments of 16 x 8. Strips of the factors go
// through shared memory as in product.h, already rounded; lines are 8 numbers longer than wide, so that the 4 x 8 numbers
// that a warp reads for a fragment are in different banks. Predicted on an H100: at k = n = 128 bound by memory, 70 % of
// bandwidth; large matrices reach 25 % of the tensor cores' peak, as these instructions reach half of it and wait for
// shared memory: 12 reads for 16 fragments.
#include "product.h"

constexpr int deep = 16, threads = 128;

// tensor_product computes the tile of c (m x n, rows of n) at row i0 and column j0, of 2*WM x 2*WN numbers. AK says that a
// is adjacent along k.
template <int WM, int WN, bool AK>
DEVICE void tensor_product(float *c, Matrix<float> a, Matrix<float> b, int m, int n, int k, int i0, int j0) {
  using Left = Strip<float, 2 * WM, deep, threads, AK, 8>;
  using Right = Strip<float, 2 * WN, deep, threads, false, 8>;
  SHARED_ALIGNED float left[2][deep * Left::pitch];
  SHARED_ALIGNED float right[2][deep * Right::pitch];
  static_assert(sizeof(left) + sizeof(right) <= 48 * 1024, "shared memory");
  const int warp = threadIdx.x / 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const int wi = warp / 2 * WM, wj = warp % 2 * WN;
  const bool va = AK ? aligned(a.p, a.row) : aligned(a.p, a.col), vb = aligned(b.p, b.row);
  float sum[WM / 16][WN / 8][4];
  UNROLL
  for (int i = 0; i < WM / 16; i++)
    UNROLL
    for (int j = 0; j < WN / 8; j++)
      UNROLL
      for (int x = 0; x < 4; x++) sum[i][j][x] = 0;

  Left sa;
  Right sb;
  auto load = [&](int k0) {
    sa.load(a.p, a.row, a.col, i0, k0, m, k, va);
    sb.load(b.p, b.col, b.row, j0, k0, n, k, vb);
  };
  auto store = [&](int buffer) {
    UNROLL
    for (int e = 0; e < Left::each; e++)
      UNROLL
      for (int x = 0; x < 4; x++) sa.held[e].x[x] = tf32(sa.held[e].x[x]);
    UNROLL
    for (int e = 0; e < Right::each; e++)
      UNROLL
      for (int x = 0; x < 4; x++) sb.held[e].x[x] = tf32(sb.held[e].x[x]);
    sa.store(left[buffer]);
    sb.store(right[buffer]);
    barrier();
  };
  load(0);
  store(0);
  for (int k0 = 0, buffer = 0; k0 < k; k0 += deep, buffer ^= 1) {
    const bool more = k0 + deep < k;
    if (more) load(k0 + deep);
    UNROLL
    for (int q = 0; q < deep; q += 8) {
      float x[WM / 16][4], y[WN / 8][2];
      UNROLL
      for (int i = 0; i < WM / 16; i++)
        UNROLL
        for (int f = 0; f < 4; f++)
          x[i][f] = left[buffer][(q + t + f / 2 * 4) * Left::pitch + wi + i * 16 + g + f % 2 * 8];
      UNROLL
      for (int j = 0; j < WN / 8; j++)
        UNROLL
        for (int f = 0; f < 2; f++) y[j][f] = right[buffer][(q + t + f * 4) * Right::pitch + wj + j * 8 + g];
      UNROLL
      for (int i = 0; i < WM / 16; i++)
        UNROLL
        for (int j = 0; j < WN / 8; j++) multiply_add_tf32(sum[i][j], x[i], y[j]);
    }
    if (more) store(buffer ^ 1);
  }
  UNROLL
  for (int i = 0; i < WM / 16; i++)
    UNROLL
    for (int j = 0; j < WN / 8; j++)
      UNROLL
      for (int x = 0; x < 4; x++) {
        const int r = i0 + wi + i * 16 + g + x / 2 * 8, q = j0 + wj + j * 8 + 2 * t + x % 2;
        if (r < m && q < n) c[(i64)r * n + q] = sum[i][j][x];
      }
}

// c = a*b, a and b not transposed.
template <int WM, int WN> DEVICE void tensor_matmul(float *c, const float *a, const float *b, int m, int k, int n) {
  tensor_product<WM, WN, true>(c, {a, k, 1}, {b, n, 1}, m, n, k, blockIdx.x * 2 * WM, blockIdx.y * 2 * WN);
}

// The transpose of a (k x m, rows of lda) times b, cut into pieces as in products.cu.
template <int WM, int WN>
DEVICE void tensor_tn_split(float *partial, const float *a, const float *b, int m, int lda, int k, int n, int piece) {
  const int across = (n + 2 * WN - 1) / (2 * WN), i = blockIdx.y / across, j = blockIdx.y % across;
  const i64 first = (i64)blockIdx.x * piece;
  tensor_product<WM, WN, false>(partial + (i64)blockIdx.x * m * n, {a + first * lda, 1, lda}, {b + first * n, n, 1}, m, n,
                                least(piece, k - (int)first), i * 2 * WM, j * 2 * WN);
}

#if !defined(ONLY_DOUBLE)
KERNEL(tensor_large_f32, threads, (float *c, const float *a, const float *b, int m, int k, int n), (tensor_matmul<64, 32>(c, a, b, m, k, n)))
KERNEL(tensor_square_f32, threads, (float *c, const float *a, const float *b, int m, int k, int n), (tensor_matmul<32, 32>(c, a, b, m, k, n)))
KERNEL(tensor_narrow_f32, threads, (float *c, const float *a, const float *b, int m, int k, int n), (tensor_matmul<32, 16>(c, a, b, m, k, n)))
KERNEL(tensor_tn_f32, threads, (float *partial, const float *a, const float *b, int m, int lda, int k, int n, int piece),
       (tensor_tn_split<32, 32>(partial, a, b, m, lda, k, n, piece)))
#endif
