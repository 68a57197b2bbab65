// What the kernels are written in: CUDA C for clang, which makes PTX of it without a CUDA toolkit, and plain C++ for the
// host, where fake/machine.h runs one fibre per CUDA thread. Neither has a mathematical library; maths.h is our own.
//
// Blocks of threads are one-dimensional. Products and sums are contracted only where a kernel says muladd, so that both
// builds round alike.
#pragma once

typedef long long i64;
typedef unsigned long long u64;
typedef unsigned char u8;
typedef unsigned short u16;

#if defined(__CUDA__)

#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#include <__clang_cuda_builtin_vars.h>

#define DEVICE static inline __attribute__((device, always_inline))
#define DEVICE_METHOD inline __attribute__((device, always_inline))
#define SHARED static __attribute__((shared))
#define SHARED_ALIGNED static __attribute__((shared, aligned(16)))
#define UNROLL _Pragma("unroll")
#define RESTRICT __restrict__

// KERNEL(name, threads, (parameters), body) is a kernel for blocks of at most so many threads. DENSE_KERNEL is one of which a
// multiprocessor is to hold at least so many blocks: registers are spared for that.
#define KERNEL(name, threads, params, ...) \
  extern "C" __attribute__((global)) __attribute__((launch_bounds(threads))) void name params { __VA_ARGS__; }
#define DENSE_KERNEL(name, threads, blocks, params, ...) \
  extern "C" __attribute__((global)) __attribute__((launch_bounds(threads, blocks))) void name params { __VA_ARGS__; }

extern __shared__ double dynamic_shared[];

// barrier waits for all threads of the block.
DEVICE void barrier() { __nvvm_bar_sync(0); }

DEVICE float root(float x) { return __nvvm_sqrt_rn_f(x); }
DEVICE double root(double x) { return __nvvm_sqrt_rn_d(x); }
DEVICE float from_bits(int x) { return __builtin_bit_cast(float, x); }
DEVICE double from_bits(i64 x) { return __builtin_bit_cast(double, x); }

#if __CUDA_ARCH__ >= 800
// tf32 rounds to the 10 bits of fraction that multiply_add_tf32 takes, to the nearest, ties away from zero.
DEVICE float tf32(float x) {
  int y;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(y) : "f"(x));
  return from_bits(y);
}

// multiply_add_tf32 adds to c (16 x 8) the product of a (16 x 8) and b (8 x 8), which the 32 threads of a warp hold
// together: with g = thread/4 and t = thread%4 a thread has a(g,t), a(g+8,t), a(g,t+4), a(g+8,t+4); b(t,g), b(t+4,g);
// c(g,2t), c(g,2t+1), c(g+8,2t), c(g+8,2t+1).
DEVICE void multiply_add_tf32(float *c, const float *a, const float *b) {
  asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(__builtin_bit_cast(int, a[0])), "r"(__builtin_bit_cast(int, a[1])), "r"(__builtin_bit_cast(int, a[2])),
        "r"(__builtin_bit_cast(int, a[3])), "r"(__builtin_bit_cast(int, b[0])), "r"(__builtin_bit_cast(int, b[1])));
}
#endif

#else

#include <cmath>
#include <cstring>
#include "fake/machine.h"

#define DEVICE static inline
#define DEVICE_METHOD inline
#define SHARED static
#define SHARED_ALIGNED alignas(16) static
#define UNROLL
#define RESTRICT __restrict__

#define KERNEL(name, threads, params, ...)   \
  extern "C" void name params { __VA_ARGS__; } \
  static const bool listed_##name = fake::list<name>(#name, threads);

#define DENSE_KERNEL(name, threads, blocks, params, ...) KERNEL(name, threads, params, __VA_ARGS__)

DEVICE float root(float x) { return std::sqrt(x); }
DEVICE double root(double x) { return std::sqrt(x); }
DEVICE float tf32(float x) {
  unsigned u;
  std::memcpy(&u, &x, 4);
  if ((u & 0x7f800000) != 0x7f800000) u += 0x1000;  // not for infinities and NaN
  u &= ~0x1fffu;
  std::memcpy(&x, &u, 4);
  return x;
}
using fake::multiply_add_tf32;

DEVICE float from_bits(int x) { float f; std::memcpy(&f, &x, 4); return f; }
DEVICE double from_bits(i64 x) { double f; std::memcpy(&f, &x, 8); return f; }

#endif

DEVICE float muladd(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
DEVICE double muladd(double a, double b, double c) { return __builtin_fma(a, b, c); }
DEVICE int least(int a, int b) { return a < b ? a : b; }
DEVICE int most(int a, int b) { return a > b ? a : b; }

// Four numbers that lie side by side, moved at once where they are aligned: one access of 16 bytes in float, two in double.
template <class F> struct Four { F x[4]; };

typedef float float4_t __attribute__((vector_size(16)));
typedef double double2_t __attribute__((vector_size(16)));

DEVICE Four<float> load4(const float *p) {
  float4_t v = *(const float4_t *)p;
  return {{v[0], v[1], v[2], v[3]}};
}
DEVICE Four<double> load4(const double *p) {
  double2_t v = ((const double2_t *)p)[0], w = ((const double2_t *)p)[1];
  return {{v[0], v[1], w[0], w[1]}};
}
DEVICE void store4(float *p, const Four<float> &v) {
  *(float4_t *)p = float4_t{v.x[0], v.x[1], v.x[2], v.x[3]};
}
DEVICE void store4(double *p, const Four<double> &v) {
  ((double2_t *)p)[0] = double2_t{v.x[0], v.x[1]};
  ((double2_t *)p)[1] = double2_t{v.x[2], v.x[3]};
}

// fetch4 is load4 from memory that the kernel does not write. It is spelled out for the device, as the compiler takes a load
// apart whose numbers may also be loaded one by one.
#if defined(__CUDA__)
typedef float read4_t __attribute__((ext_vector_type(4)));
typedef double read2_t __attribute__((ext_vector_type(2)));
DEVICE Four<float> fetch4(const float *p) {
  read4_t v = __nvvm_ldg_f4((const read4_t *)p);
  return {{v.x, v.y, v.z, v.w}};
}
DEVICE Four<double> fetch4(const double *p) {
  read2_t v = __nvvm_ldg_d2((const read2_t *)p), w = __nvvm_ldg_d2((const read2_t *)p + 1);
  return {{v.x, v.y, w.x, w.y}};
}
#else
template <class F> DEVICE Four<F> fetch4(const F *p) { return load4(p); }
#endif

// aligned reports whether rows that begin at p and lie stride apart can be moved four numbers at a time.
template <class F> DEVICE bool aligned(const F *p, i64 stride) {
  return (u64)p % 16 == 0 && stride * (i64)sizeof(F) % 16 == 0;
}

// The number of this thread among all, and of all threads, for loops over numbers that go on where the grid ends.
DEVICE i64 thread_of_grid() { return (i64)blockIdx.x * blockDim.x + threadIdx.x; }
DEVICE i64 threads_of_grid() { return (i64)gridDim.x * blockDim.x; }

// BOTH(M) makes an instance of M(element type, suffix) for each element type, or for the one that is asked for.
#if defined(ONLY_FLOAT)
#define BOTH(M) M(float, f32)
#elif defined(ONLY_DOUBLE)
#define BOTH(M) M(double, f64)
#else
#define BOTH(M) M(float, f32) M(double, f64)
#endif
