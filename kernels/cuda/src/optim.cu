// The optimiser: global norm of the gradient, clipping, and Adam or AdamW with float64 masters and moments. All tensors of a
// step are in one table, so a step is three launches however many tensors there are. Bound by bandwidth on cards with fast
// float64: a number of the model is 56 bytes with a float32 gradient. On others the two divisions and the root take longer.
#include "shim.h"

constexpr int threads = 256, chunk = 2048;  // numbers of a block; optim.go knows both

// A Tensor is as Tensor of optim.go writes it. param may be null.
struct Tensor {
  double *value, *m1, *m2;
  void *param;
  const void *grad;
  i64 n;
  double rate, root;
};

// State is what steps leave behind. Once failed is not 0 nothing is changed any more.
struct State { double norm, factor, failed, reason; };
enum { lossNotFinite = 1, gradientNotFinite = 2 };

// Range is the part of a tensor that is the block's; pieces has, for each block, the numbers of a tensor and of a chunk of it.
struct Range { const Tensor *tensor; i64 from, to; };

DEVICE Range range(const Tensor *table, const int *pieces) {
  const Tensor *t = table + pieces[2 * blockIdx.x];
  const i64 from = (i64)pieces[2 * blockIdx.x + 1] * chunk, left = t->n - from;
  return {t, from, from + (left < chunk ? left : chunk)};
}

DEVICE bool is_finite(double x) { return x - x == 0; }

// total adds up one number of each thread, in a fixed order. Thread 0 gets the sum.
DEVICE double total(double x) {
  SHARED double shared[threads];
  shared[threadIdx.x] = x;
  for (int half = threads / 2; half > 0; half /= 2) {
    barrier();
    if (threadIdx.x < (unsigned)half) shared[threadIdx.x] += shared[threadIdx.x + half];
  }
  barrier();
  return shared[0];
}

// partial[block] = the sum of the squares of the block's part of the gradient.
template <class F> DEVICE void grad_squares(double *partial, const Tensor *table, const int *pieces) {
  const Range r = range(table, pieces);
  const F *grad = (const F *)r.tensor->grad;
  double sum = 0;
  for (i64 i = r.from + threadIdx.x; i < r.to; i += threads) sum += (double)grad[i] * (double)grad[i];
  sum = total(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// One block: norm and factor of a step, and whether it fails. loss may be null.
template <class F> DEVICE void grad_norm(State *state, const double *partial, i64 blocks, const F *loss, double most, double step) {
  double sum = 0;
  for (i64 b = threadIdx.x; b < blocks; b += threads) sum += partial[b];
  sum = total(sum);
  if (threadIdx.x != 0 || state->failed != 0) return;
  const double norm = root(sum);
  state->norm = norm;
  state->factor = most <= 0 || norm + 1e-6 <= most ? 1 : most / (norm + 1e-6);
  const int reason = loss && !is_finite((double)*loss) ? lossNotFinite : is_finite(norm) ? 0 : gradientNotFinite;
  if (reason == 0) return;
  state->reason = reason;
  state->failed = step;
}

// The step of Adam, or with decoupled decay of AdamW.
template <class F>
DEVICE void adam(const State *state, const Tensor *table, const int *pieces, double lr, double b1, double b2, double eps,
                 double decay, int decoupled) {
  if (state->failed != 0) return;
  const Range r = range(table, pieces);
  const Tensor &t = *r.tensor;
  const double factor = state->factor, rate = t.rate, scale = t.root;
  for (i64 i = r.from + threadIdx.x; i < r.to; i += threads) {
    double g = (double)((const F *)t.grad)[i] * factor, x = t.value[i];
    if (decoupled)
      x *= 1 - lr * decay;
    else
      g += decay * x;
    const double m1 = b1 * t.m1[i] + (1 - b1) * g, m2 = b2 * t.m2[i] + (1 - b2) * g * g;
    x -= rate * m1 / (root(m2) / scale + eps);
    t.m1[i] = m1, t.m2[i] = m2, t.value[i] = x;
    if (t.param) ((F *)t.param)[i] = (F)x;
  }
}

// param = value.
template <class F> DEVICE void load_params(const Tensor *table, const int *pieces) {
  const Range r = range(table, pieces);
  F *param = (F *)r.tensor->param;
  if (!param) return;
  for (i64 i = r.from + threadIdx.x; i < r.to; i += threads) param[i] = (F)r.tensor->value[i];
}

#define INSTANCE(F, s)                                                                                                        \
  KERNEL(grad_squares_##s, threads, (double *partial, const Tensor *table, const int *pieces),                                \
         grad_squares<F>(partial, table, pieces))                                                                             \
  KERNEL(grad_norm_##s, threads, (State * state, const double *partial, i64 blocks, const F *loss, double most, double step), \
         grad_norm(state, partial, blocks, loss, most, step))                                                                 \
  KERNEL(adam_##s, threads,                                                                                                   \
         (const State *state, const Tensor *table, const int *pieces, double lr, double b1, double b2, double eps,            \
          double decay, int decoupled),                                                                                       \
         adam<F>(state, table, pieces, lr, b1, b2, eps, decay, decoupled))                                                    \
  KERNEL(load_params_##s, threads, (const Tensor *table, const int *pieces), load_params<F>(table, pieces))
BOTH(INSTANCE)
