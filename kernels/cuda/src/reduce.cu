// Sums of columns and rows, accumulated in float64. A block adds up what it is given in a fixed order; what blocks have added
// up is added in their order by another kernel, so there is nothing atomic. Predicted: 80 % of bandwidth on cards with fast
// float64, half of it on others, where an addition takes 16 times as long as a float32 one.
#include "shim.h"

constexpr int threads = 256;

// fold adds up, for each of width threads, what lanes groups of so many threads have summed; the result is that of the first
// group.
DEVICE double fold(double sum, double *partial, int width, int lanes) {
  partial[threadIdx.x] = sum;
  barrier();
  double all = 0;
  if (threadIdx.x < (unsigned)width)
    for (int l = 0; l < lanes; l++) all += partial[l * width + threadIdx.x];
  barrier();
  return all;
}

// partial[block][c] = the sums over the rows that are the block's, blocks in the first dimension of the grid, groups of
// columns in the second.
template <class F> DEVICE void col_sums(double *partial, const F *a, i64 rows, int cols) {
  SHARED double shared[threads];
  const int c0 = blockIdx.y * threads, width = least(threads, cols - c0), lanes = threads / width;
  const int c = threadIdx.x % width, lane = threadIdx.x / width;
  double sum = 0;
  if (lane < lanes)
    for (i64 r = (i64)blockIdx.x * lanes + lane; r < rows; r += (i64)gridDim.x * lanes) sum += (double)a[r * cols + c0 + c];
  double all = fold(sum, shared, width, lanes);
  if (threadIdx.x < (unsigned)width) partial[(i64)blockIdx.x * cols + c0 + threadIdx.x] = all;
}

// dst[c] = the sum of partial[b][c] over all blocks b, plus dst[c] if add is not 0. Each block does 32 columns.
template <class T> DEVICE void add_partial(T *dst, const double *partial, int blocks, int cols, int add) {
  SHARED double shared[threads];
  const int c = blockIdx.x * 32 + threadIdx.x % 32, lane = threadIdx.x / 32;
  double sum = 0;
  if (c < cols)
    for (int b = lane; b < blocks; b += threads / 32) sum += partial[(i64)b * cols + c];
  double all = fold(sum, shared, 32, threads / 32);
  if (threadIdx.x < 32 && c < cols) dst[c] = (T)(add ? (double)dst[c] + all : all);
}

// dst[r] = the sum of row r; so many lanes share a row.
template <class F> DEVICE void row_sums(F *dst, const F *a, i64 rows, int cols, int lanes) {
  SHARED double shared[threads];
  const int high = threads / lanes, lane = threadIdx.x % lanes;
  const i64 row = (i64)blockIdx.x * high + threadIdx.x / lanes;
  double sum = 0;
  if (row < rows)
    for (int c = lane; c < cols; c += lanes) sum += (double)a[row * cols + c];
  shared[threadIdx.x] = sum;
  barrier();
  const i64 mine = (i64)blockIdx.x * high + threadIdx.x;
  if (threadIdx.x >= (unsigned)high || mine >= rows) return;
  double all = 0;
  for (int l = 0; l < lanes; l++) all += shared[threadIdx.x * lanes + l];
  dst[mine] = (F)all;
}

#define INSTANCE(F, s)                                                                                                        \
  KERNEL(col_sums_##s, threads, (double *partial, const F *a, i64 rows, int cols), col_sums(partial, a, rows, cols))          \
  KERNEL(add_partial_##s, threads, (F * dst, const double *partial, int blocks, int cols, int add),                           \
         add_partial(dst, partial, blocks, cols, add))                                                                        \
  KERNEL(row_sums_##s, threads, (F * dst, const F *a, i64 rows, int cols, int lanes), row_sums(dst, a, rows, cols, lanes))
BOTH(INSTANCE)
