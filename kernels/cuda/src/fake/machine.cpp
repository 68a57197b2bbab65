#include "machine.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

Dim threadIdx, blockIdx, blockDim, gridDim;
double dynamic_shared[shared_bytes / 8];

namespace fake {

static std::map<std::string, Kernel> &kernels() {
  static std::map<std::string, Kernel> all;
  return all;
}

bool add(Kernel k) { return kernels().emplace(k.name, k).second; }

const Kernel *find(const char *name) {
  auto at = kernels().find(name);
  return at == kernels().end() ? nullptr : &at->second;
}

// switch_stack keeps the registers that a call must preserve on the stack, whose address it stores, and goes on with
// another stack.
extern "C" void switch_stack(void **save, void *load);
#if defined(__x86_64__)
asm(R"(
.text
.globl switch_stack
switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
static const size_t kept = 6, returnAt = 6;  // words
#elif defined(__aarch64__)
asm(R"(
.text
.globl switch_stack
switch_stack:
  sub sp, sp, #160
  stp x19, x20, [sp, #0]
  stp x21, x22, [sp, #16]
  stp x23, x24, [sp, #32]
  stp x25, x26, [sp, #48]
  stp x27, x28, [sp, #64]
  stp x29, x30, [sp, #80]
  stp d8, d9, [sp, #96]
  stp d10, d11, [sp, #112]
  stp d12, d13, [sp, #128]
  stp d14, d15, [sp, #144]
  mov x9, sp
  str x9, [x0]
  mov sp, x1
  ldp x19, x20, [sp, #0]
  ldp x21, x22, [sp, #16]
  ldp x23, x24, [sp, #32]
  ldp x25, x26, [sp, #48]
  ldp x27, x28, [sp, #64]
  ldp x29, x30, [sp, #80]
  ldp d8, d9, [sp, #96]
  ldp d10, d11, [sp, #112]
  ldp d12, d13, [sp, #128]
  ldp d14, d15, [sp, #144]
  add sp, sp, #160
  ret
)");
static const size_t kept = 20, returnAt = 11;
#else
#error "the fake driver switches stacks on amd64 and arm64 only"
#endif

static const size_t stackBytes = 64 << 10, mostThreads = 1024;

// A thread of the block under way. One that has finished leaves its stack to the next one, so kernels without barriers run on
// a single stack.
struct Fibre { void *at, *stack; bool finished; };

static Fibre fibres[mostThreads];
static Fibre *current;
static void *scheduler;
static std::vector<void *> freeStacks;
static struct { const Kernel *kernel; const char *arguments; const size_t *offsets; } work;

static void *newStack() {
  if (!freeStacks.empty()) {
    void *s = freeStacks.back();
    freeStacks.pop_back();
    return s;
  }
  return mmap(nullptr, stackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static void body() {
  work.kernel->run(work.arguments, work.offsets);
  current->finished = true;
  void *unused;
  switch_stack(&unused, scheduler);
  abort();
}

static void begin(Fibre &f) {
  f.stack = newStack();
  f.finished = false;
  void **top = (void **)((char *)f.stack + stackBytes - 64);
#if defined(__x86_64__)
  top -= 1;  // a function begins eight bytes below a multiple of 16
#endif
  top -= returnAt == kept ? kept + 1 : kept;
  memset(top, 0, (kept + 1) * sizeof(void *));
  top[returnAt] = (void *)body;
  f.at = top;
}

static void resume(unsigned t) {
  current = &fibres[t];
  threadIdx = {t, 0, 0};
  switch_stack(&scheduler, current->at);
  if (current->finished) freeStacks.push_back(current->stack);
}

// Threads go on in ascending or in descending order, by turns, so that one that misses a barrier is found to read too early
// whichever thread it reads from.
static unsigned turns;

static unsigned inTurn(unsigned i, unsigned threads) { return turns % 2 ? threads - 1 - i : i; }

static const char *runBlock(unsigned threads) {
  unsigned waiting = 0;
  for (unsigned i = 0; i < threads; i++) {
    const unsigned t = inTurn(i, threads);
    begin(fibres[t]);
    resume(t);
    waiting += !fibres[t].finished;
  }
  for (turns++; waiting > 0; turns++) {
    if (waiting < threads) return "some threads of a block ended while others wait at a barrier";
    waiting = 0;
    for (unsigned i = 0; i < threads; i++) {
      const unsigned t = inTurn(i, threads);
      resume(t);
      waiting += !fibres[t].finished;
    }
  }
  turns += threads % 3;  // a kernel that has always the same number of barriers begins now this way, now that
  return nullptr;
}

// What the threads of a block hold of the factors.
static struct { float a[4], b[2]; } held[mostThreads];

void multiply_add_tf32(float *c, const float *a, const float *b) {
  memcpy(held[threadIdx.x].a, a, sizeof held->a);
  memcpy(held[threadIdx.x].b, b, sizeof held->b);
  barrier();
  const unsigned warp = threadIdx.x / 32 * 32, g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  for (unsigned x = 0; x < 4; x++)
    for (unsigned k = 0; k < 8; k++) {
      const unsigned column = 2 * t + x % 2;
      c[x] += held[warp + g * 4 + k % 4].a[x / 2 + k / 4 * 2] * held[warp + column * 4 + k % 4].b[k / 4];
    }
  barrier();
}

const char *launch(const Kernel &k, Dim grid, Dim block, size_t shared, const char *arguments, const size_t *offsets) {
  work = {&k, arguments, offsets};
  gridDim = grid;
  blockDim = block;
  for (unsigned z = 0; z < grid.z; z++)
    for (unsigned y = 0; y < grid.y; y++)
      for (unsigned x = 0; x < grid.x; x++) {
        blockIdx = {x, y, z};
        memset(dynamic_shared, 0xff, sizeof dynamic_shared);
        if (k.ptx) {
          if (const char *wrong = run_ptx_block(k, block.x, shared, arguments, offsets)) return wrong;
          continue;
        }
        if (const char *wrong = runBlock(block.x)) return wrong;
      }
  return nullptr;
}

}  // namespace fake

void barrier() { fake::switch_stack(&fake::current->at, fake::scheduler); }
