// The host that stands in for a GPU: it runs kernels block by block, with one fibre for each thread of a block.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

struct Dim { unsigned x = 1, y = 1, z = 1; };
extern Dim threadIdx, blockIdx, blockDim, gridDim;
extern double dynamic_shared[];
const size_t shared_bytes = 48 * 1024;

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
  const struct Ptx *ptx = nullptr;  // instead of run: of a module that was written at run time
};

bool add(Kernel k);
const Kernel *find(const char *name);

// launch runs all blocks, with so many bytes of shared memory, and returns what went wrong, or nullptr.
const char *launch(const Kernel &k, Dim grid, Dim block, size_t shared, const char *arguments, const size_t *offsets);

// allocated reports whether bytes of the device's memory from p on are allocated, and between what limits.
bool allocated(const char *p, size_t bytes, const char **from, const char **to);

// read_ptx returns the kernels of a module that was written at run time; error stays empty if nothing is wrong with it.
std::vector<std::shared_ptr<Ptx>> read_ptx(const std::string &text, std::string *error);
Kernel kernel_of(const Ptx &p);

// run_ptx_block runs one block of such a kernel and returns what went wrong, or nullptr.
const char *run_ptx_block(const Kernel &k, unsigned threads, size_t shared, const char *arguments, const size_t *offsets);

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
