// Products over all ordered pairs (j, k) of the rows of a segment; pair[s] is the number of the first pair of segment s, and
// with n rows from f on, (j, k) has the number pair[s] + (j-f)*n + (k-f). Rows have heads*d columns, those of a head adjacent;
// pairs have heads columns.
//
// With four heads, blocks do all of them at once, see heads.h. Otherwise one block does one head of a segment; the heads of
// a segment are neighbours in the grid, so that the lines of pairs, of which each uses one number in heads, meet in the
// second-level cache. Predicted: bound by that cache, 30 % of its bandwidth.
#include "heads.h"
#include "product.h"

using Square = Tile<32, 32, 16, 4, 4>;  // 64 threads

struct Segment { i64 from, pairs; int n, head; };

DEVICE Segment segment(const int *start, const int *pair, int first, int heads) {
  const i64 s = first + (i64)(blockIdx.x / heads);
  const i64 from = start[s];
  return {from, pair[s], (int)(start[s + 1] - from), (int)(blockIdx.x % heads)};
}

// dst[j][k] = a[j] b[k]'.
template <class F> DEVICE void pair_dot(F *dst, const F *a, const F *b, const int *start, const int *pair, int first, int heads, int d) {
  const Segment s = segment(start, pair, first, heads);
  const i64 w = (i64)heads * d, at = s.from * w + (i64)s.head * d;
  all_tiles<F, Square, true, true>(dst + s.pairs * heads + s.head, (i64)s.n * heads, heads, {a + at, w, 1}, {b + at, 1, w}, s.n, s.n, d);
}

// dst[j] = the sum over k of weight[j][k] b[k].
template <class F> DEVICE void pair_apply(F *dst, const F *weight, const F *b, const int *start, const int *pair, int first, int heads, int d) {
  const Segment s = segment(start, pair, first, heads);
  const i64 w = (i64)heads * d, at = s.from * w + (i64)s.head * d;
  all_tiles<F, Square, true, false>(dst + at, w, 1, {weight + s.pairs * heads + s.head, (i64)s.n * heads, heads}, {b + at, w, 1}, s.n, d, s.n);
}

// dst[k] = the sum over j of weight[j][k] a[j].
template <class F> DEVICE void pair_apply_t(F *dst, const F *weight, const F *a, const int *start, const int *pair, int first, int heads, int d) {
  const Segment s = segment(start, pair, first, heads);
  const i64 w = (i64)heads * d, at = s.from * w + (i64)s.head * d;
  all_tiles<F, Square, false, false>(dst + at, w, 1, {weight + s.pairs * heads + s.head, heads, (i64)s.n * heads}, {a + at, w, 1}, s.n, d, s.n);
}

// The same for four heads: c, x and y are what the functions above take. The second dimension of the grid shares the rows of
// tiles of a segment, for GPUs that have more room than there are segments.
template <class F, int op> DEVICE void pair_four(F *c, const F *x, const F *y, const int *start, const int *pair, int first, int d) {
  const Segment s = segment(start, pair, first, 1);
  const i64 pairs = s.pairs * 4, rows = s.from * 4 * d;
  for (int i0 = blockIdx.y * side; i0 < s.n; i0 += gridDim.y * side)
    for (int j0 = 0; j0 < (op == dot ? s.n : d); j0 += side)
      four_heads<F, op>(c + (op == dot ? pairs : rows), x + (op == dot ? rows : pairs), y + rows, s.n, d, i0, j0);
}

#define PAIRS(name, f, F)                                                                                                          \
  DENSE_KERNEL(name, Square::threads, sizeof(F) == 4 ? 8 : 4, (F * dst, const F *x, const F *y, const int *start, const int *pair, int first, int heads, int d), \
         f(dst, x, y, start, pair, first, heads, d))
#define FOUR(name, op, F)                                                                                                 \
  DENSE_KERNEL(name, headThreads, sizeof(F) == 4 ? 3 : 1, (F * dst, const F *x, const F *y, const int *start, const int *pair, int first, int d),       \
         (pair_four<F, op>(dst, x, y, start, pair, first, d)))

#define INSTANCE(F, s)                             \
  PAIRS(pair_dot_##s, pair_dot, F)                 \
  PAIRS(pair_apply_##s, pair_apply, F)             \
  PAIRS(pair_apply_t_##s, pair_apply_t, F)         \
  FOUR(pair_dot_four_##s, dot, F)                  \
  FOUR(pair_apply_four_##s, apply, F)              \
  FOUR(pair_apply_t_four_##s, applyT, F)
BOTH(INSTANCE)
