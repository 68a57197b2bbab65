// Sums and products inside segments of rows. Segment s has the rows start[s] to start[s+1], excluded.
#include "product.h"

// Tiles by what is small: the matrix of a segment is often 4 x something.
template <class F> struct Tiles {
  using Square = Tile<32, 32, 16, 4, 4>;  // 64 threads
  using Flat = Tile<8, 64, 16, 2, 4>;     // 64 threads
  using Thin = Tile<64, 8, 16, 4, 2>;     // 64 threads
  using Wide = Tile<32, 64, 8, 4, 8>;     // 64 threads
};

// One block for each segment. Segments are read once each from memory, so all three are bound by it while the matrices are
// small; predicted 60 % of bandwidth, less for segments of few rows, whose blocks have little to do.

// dst[s] (p x q) = sum over the rows of a[r]' b[r].
template <class F, class T> DEVICE void seg_outer(F *dst, const F *a, const F *b, const int *start, int first, int p, int q) {
  const i64 s = first + (i64)blockIdx.x;
  const i64 from = start[s];
  const int n = (int)(start[s + 1] - from);
  all_tiles<F, T, false, false>(dst + s * p * q, q, 1, {a + from * p, 1, p}, {b + from * q, q, 1}, p, q, n);
}

// dst[r] (p) = g[s] (p x q) b[r].
template <class F, class T> DEVICE void row_apply(F *dst, const F *g, const F *b, const int *start, int first, int p, int q) {
  const i64 s = first + (i64)blockIdx.x;
  const i64 from = start[s];
  const int n = (int)(start[s + 1] - from);
  all_tiles<F, T, true, true>(dst + from * p, p, 1, {b + from * q, q, 1}, {g + s * p * q, 1, q}, n, p, q);
}

// dst[r] (q) = g[s]' (q x p) a[r].
template <class F, class T> DEVICE void row_apply_t(F *dst, const F *g, const F *a, const int *start, int first, int p, int q) {
  const i64 s = first + (i64)blockIdx.x;
  const i64 from = start[s];
  const int n = (int)(start[s + 1] - from);
  all_tiles<F, T, true, false>(dst + from * q, q, 1, {a + from * p, p, 1}, {g + s * p * q, q, 1}, n, q, p);
}

// dst[s] = the sum of those rows of src that list names in segment s; list may be null: 0, 1, 2 ... One thread for each number
// of the result: neighbours read neighbours.
template <class F>
DEVICE void scatter(F *dst, const F *src, const int *start, const int *list, i64 first, i64 last, int cols) {
  for (i64 i = first * cols + thread_of_grid(); i < last * cols; i += threads_of_grid()) {
    const i64 s = i / cols;
    const int c = (int)(i - s * cols), to = start[s + 1];
    double sum = 0;
    for (int e = start[s]; e < to; e++) sum += (double)src[(list ? list[e] : e) * (i64)cols + c];
    dst[i] = (F)sum;
  }
}

constexpr int threads = 256;

// The same for few and long segments: one block for each segment and 32 columns, whose threads share the rows.
template <class F>
DEVICE void scatter_long(F *dst, const F *src, const int *start, const int *list, int first, int cols) {
  SHARED double partial[threads];
  const i64 s = first + (i64)blockIdx.x;
  const int c0 = blockIdx.y * 32, width = least(32, cols - c0), lanes = threads / width;
  const int c = threadIdx.x % width, lane = threadIdx.x / width, to = start[s + 1];
  double sum = 0;
  if (lane < lanes)
    for (int e = start[s] + lane; e < to; e += lanes) sum += (double)src[(list ? list[e] : e) * (i64)cols + c0 + c];
  partial[threadIdx.x] = sum;
  barrier();
  if (threadIdx.x >= (unsigned)width) return;
  double all = 0;
  for (int l = 0; l < lanes; l++) all += partial[l * width + threadIdx.x];
  dst[s * cols + c0 + threadIdx.x] = (F)all;
}

#define SEGMENT(name, f, F, T, out, x, y)                                                                   \
  DENSE_KERNEL(name, T::threads, sizeof(F) == 4 ? 8 : 4, (F * out, const F *x, const F *y, const int *start, int first, int p, int q),   \
         f<F, T>(out, x, y, start, first, p, q))

#define INSTANCE(F, s)                                                                                     \
  SEGMENT(seg_outer_square_##s, seg_outer, F, Tiles<F>::Square, dst, a, b)                                 \
  SEGMENT(seg_outer_flat_##s, seg_outer, F, Tiles<F>::Flat, dst, a, b)                                     \
  SEGMENT(row_apply_square_##s, row_apply, F, Tiles<F>::Square, dst, g, b)                                 \
  SEGMENT(row_apply_thin_##s, row_apply, F, Tiles<F>::Thin, dst, g, b)                                     \
  SEGMENT(row_apply_t_square_##s, row_apply_t, F, Tiles<F>::Square, dst, g, a)                             \
  SEGMENT(row_apply_t_wide_##s, row_apply_t, F, Tiles<F>::Wide, dst, g, a)                                 \
  KERNEL(scatter_##s, threads,                                                                             \
         (F * dst, const F *src, const int *start, const int *list, i64 first, i64 last, int cols),        \
         scatter(dst, src, start, list, first, last, cols))                                                \
  KERNEL(scatter_long_##s, threads, (F * dst, const F *src, const int *start, const int *list, int first, int cols), \
         scatter_long(dst, src, start, list, first, cols))
BOTH(INSTANCE)
