// Softmax of columns inside segments of rows.
#include "maths.h"

constexpr int segmentThreads = 32, together = 4, threads = segmentThreads * together;

// Each warp does one segment, a group of up to 32 columns at a time: its threads share rows and columns, so with 4 columns
// (heads) 8 rows go side by side. Exponentials are stored first and scaled later, by the thread that stored them, so dst
// may be x. Predicted: 60 % of bandwidth, as a segment of 120 rows of 4 floats is 2 kB and stays in the first-level cache
// meanwhile.
template <class F>
DEVICE void seg_softmax(F *dst, const F *x, const F *phantom, double value, const int *start, i64 first, i64 last, int cols) {
  SHARED F tops[threads];
  SHARED double sums[threads];
  const int warp = threadIdx.x / segmentThreads, at = threadIdx.x % segmentThreads;
  const i64 s = first + (i64)blockIdx.x * together + warp;
  const bool active = s < last;
  const int from = active ? start[s] : 0, to = active ? start[s + 1] : 0;
  const F ghosts = active && phantom ? phantom[s] : F(0);
  for (int c0 = 0; c0 < cols; c0 += segmentThreads) {
    const int width = least(segmentThreads, cols - c0), lanes = segmentThreads / width, lane = at / width;
    const i64 c = c0 + at % width;
    const int begin = lane < lanes ? from + lane : to;  // threads that are left over do nothing
    F top = -__builtin_inff();
    for (int r = begin; r < to; r += lanes) {
      F v = x[r * (i64)cols + c];
      if (v > top) top = v;
    }
    tops[threadIdx.x] = top;
    barrier();
    top = ghosts > 0 ? (F)value : -__builtin_inff();
    for (int l = 0; l < lanes; l++) {
      F v = tops[warp * segmentThreads + l * width + at % width];
      if (v > top) top = v;
    }
    double sum = 0;
    for (int r = begin; r < to; r += lanes) {
      F e = exp_of(x[r * (i64)cols + c] - top);
      dst[r * (i64)cols + c] = e;
      sum += (double)e;
    }
    sums[threadIdx.x] = sum;
    barrier();
    sum = ghosts > 0 ? (double)ghosts * exp_of(value - (double)top) : 0.;
    for (int l = 0; l < lanes; l++) sum += sums[warp * segmentThreads + l * width + at % width];
    const F factor = (F)(1 / sum);
    for (int r = begin; r < to; r += lanes) dst[r * (i64)cols + c] *= factor;
    barrier();
  }
}

#define INSTANCE(F, s)                                                                                                    \
  KERNEL(seg_softmax_##s, threads,                                                                                        \
         (F * dst, const F *x, const F *phantom, double value, const int *start, i64 first, i64 last, int cols),          \
         seg_softmax(dst, x, phantom, value, start, first, last, cols))
BOTH(INSTANCE)
