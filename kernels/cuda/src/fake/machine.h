// The host that stands in for a GPU: it runs kernels block by block, with one fibre for each thread of a block.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

struct Dim { unsigned x = 1, y = 1, z = 1; };
extern Dim threadIdx, blockIdx, blockDim, gridDim;
extern double dynamic_shared[];

// barrier lets the other threads of the block come here too.
void barrier();

namespace fake {

// What a kernel takes. Arguments lie in a buffer as the CUDA driver wants it: each at the next multiple of its alignment.
struct Param { size_t size, align; bool pointer; };

struct Kernel {
  const char *name;
  unsigned threads;  // of a block, at most
  std::vector<Param> params;
  void (*run)(const char *arguments, const size_t *offsets);
};

bool add(Kernel k);
const Kernel *find(const char *name);

// launch runs all blocks and returns what went wrong, or nullptr.
const char *launch(const Kernel &k, Dim grid, Dim block, const char *arguments, const size_t *offsets);

// multiply_add_tf32 is what shim.h says; all threads of a block have to call it together.
void multiply_add_tf32(float *c, const float *a, const float *b);

template <auto f> struct Call;
template <class... A, void (*f)(A...)> struct Call<f> {
  static std::vector<Param> params() { return {Param{sizeof(A), alignof(A), std::is_pointer<A>::value}...}; }
  template <size_t... I> static void spread(const char *a, const size_t *at, std::index_sequence<I...>) {
    f(*(const A *)(a + at[I])...);
  }
  static void run(const char *a, const size_t *at) { spread(a, at, std::index_sequence_for<A...>{}); }
};

template <auto f> bool list(const char *name, unsigned threads) {
  return add({name, threads, Call<f>::params(), Call<f>::run});
}

}  // namespace fake
