// Moves of rows and columns. All are bound by memory: neighbouring threads write neighbouring numbers, and read such where
// the order of columns allows. Predicted: 85 % of bandwidth for rows of 32 numbers or more, half of it for rows of 4 floats
// that are gathered, as memory comes in sectors of 32 bytes.
#include "shim.h"

// dst[r][dstAt+c] = src[index[r]][srcAt+c] for n columns; index may be null: row r.
template <class F>
DEVICE void copy_cols(F *RESTRICT dst, i64 dstCols, i64 dstAt, const F *RESTRICT src, i64 srcCols, i64 srcAt,
                      const int *RESTRICT index, i64 rows, int n) {
  for (i64 i = thread_of_grid(); i < rows * n; i += threads_of_grid()) {
    i64 r = i / n;
    int c = (int)(i - r * n);
    i64 from = index ? index[r] : r;
    dst[r * dstCols + dstAt + c] = src[from * srcCols + srcAt + c];
  }
}

// dst[index[r]][c] = src[r][c].
template <class F>
DEVICE void spread(F *RESTRICT dst, const F *RESTRICT src, const int *RESTRICT index, i64 rows, int cols) {
  for (i64 i = thread_of_grid(); i < rows * cols; i += threads_of_grid()) {
    i64 r = i / cols;
    dst[index[r] * (i64)cols + (i - r * cols)] = src[i];
  }
}

// dst[r][at+c] = value for n columns.
template <class F> DEVICE void fill_cols(F *dst, i64 dstCols, i64 at, i64 rows, i64 n, F value) {
  for (i64 i = thread_of_grid(); i < rows * n; i += threads_of_grid()) {
    i64 r = i / n;
    dst[r * dstCols + at + (i - r * n)] = value;
  }
}

// dst[r][c] = src[r*rowStep + from(c)], where from(c) is map[c], or at + c*colStep without a map.
template <class F>
DEVICE void map_cols(F *RESTRICT dst, const F *RESTRICT src, const int *RESTRICT map, i64 rowStep, i64 colStep, i64 at, i64 rows,
                     int cols) {
  for (i64 i = thread_of_grid(); i < rows * cols; i += threads_of_grid()) {
    i64 r = i / cols;
    i64 c = i - r * cols;
    dst[i] = src[r * rowStep + (map ? map[c] : at + c * colStep)];
  }
}

// Rows from to to of dst (cols x rows) are the columns of src (rows x cols). Tiles of 32 x 32 go through shared memory, one
// column wider so that reading across it meets all banks.
template <class F> DEVICE void transpose(F *RESTRICT dst, const F *RESTRICT src, int rows, int cols, int from, int to) {
  SHARED F tile[32][33];
  int x = threadIdx.x % 32, y = threadIdx.x / 32;
  int c0 = from + blockIdx.x * 32, r0 = blockIdx.y * 32;
  for (int i = y; i < 32; i += 8)
    if (r0 + i < rows && c0 + x < to) tile[i][x] = src[(i64)(r0 + i) * cols + c0 + x];
  barrier();
  for (int i = y; i < 32; i += 8)
    if (c0 + i < to && r0 + x < rows) dst[(i64)(c0 + i) * rows + r0 + x] = tile[x][i];
}

#define INSTANCE(F, s)                                                                                                     \
  KERNEL(copy_cols_##s, 256, (F * dst, i64 dstCols, i64 dstAt, const F *src, i64 srcCols, i64 srcAt, const int *index,     \
                              i64 rows, int n),                                                                            \
         copy_cols(dst, dstCols, dstAt, src, srcCols, srcAt, index, rows, n))                                              \
  KERNEL(spread_##s, 256, (F * dst, const F *src, const int *index, i64 rows, int cols), spread(dst, src, index, rows, cols)) \
  KERNEL(fill_cols_##s, 256, (F * dst, i64 dstCols, i64 at, i64 rows, i64 n, F value),                                     \
         fill_cols(dst, dstCols, at, rows, n, value))                                                                      \
  KERNEL(map_cols_##s, 256, (F * dst, const F *src, const int *map, i64 rowStep, i64 colStep, i64 at, i64 rows, int cols), \
         map_cols(dst, src, map, rowStep, colStep, at, rows, cols))                                                        \
  KERNEL(transpose_##s, 256, (F * dst, const F *src, int rows, int cols, int from, int to),                                \
         transpose(dst, src, rows, cols, from, to))
BOTH(INSTANCE)
