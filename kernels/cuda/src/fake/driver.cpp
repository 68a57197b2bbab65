// The functions of libcuda.so.1 that the program uses, on the host. Work on a stream waits until something waits for it, as
// it may on a GPU, so that a caller who is too early finds old numbers. What a real driver refuses is refused here, and writes
// beside allocated memory are found as well.
#include <sys/mman.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "machine.h"

namespace {

enum { ok = 0, invalidValue = 1, outOfMemory = 2, notInitialized = 3, invalidDevice = 101, invalidImage = 200, invalidPtx = 218,
       invalidContext = 201, invalidHandle = 400, notFound = 500, notReady = 600, illegalAddress = 700, outOfResources = 701,
       launchFailed = 719, captureUnsupported = 900 };

const size_t memoryBytes = 256 << 20, redzone = 256;
const unsigned char redByte = 0xa5, freshByte = 0xff;  // fresh numbers are NaN

using Work = std::function<int()>;
struct Stream { std::deque<Work> queue; bool capturing = false, asked = false; };
struct Graph { std::deque<Work> work; };
struct Event { double at = -1; long marked = 0, happened = 0; Stream *on = nullptr; bool asked = false; };
struct Module {
  std::set<std::string> entries;
  std::vector<std::shared_ptr<fake::Ptx>> written;  // at run time
  std::map<std::string, fake::Kernel> kernels;
};
struct Memory { size_t bytes; char *block; };

// Device 1 is an old one. The driver of device 2 refuses modules that are written at run time.
const int devices = 3, refusing = 2;
char primary[devices];  // the contexts

bool initialized;
int users;  // of the device's context
thread_local void *context;  // current on this thread
std::map<char *, Memory> memory;
std::set<void *> hostMemory, streams, graphs, events, modules;
size_t used;
int sticky;          // an error of work done earlier stays until the end, as on a GPU
std::string detail;  // of the last error

int fail(int code, std::string why) {
  detail = why;
  return code;
}

int failForGood(int code, std::string why) { return sticky = fail(code, why); }

// Both devices are one machine, which does one thing at a time.
std::recursive_mutex machine;
#define ALONE std::lock_guard<std::recursive_mutex> alone(machine);

#define REQUIRE_CONTEXT                                                                                  \
  ALONE                                                                                                  \
  if (!context) return fail(invalidContext, "no context is current on the calling thread");             \
  if (sticky) return sticky;

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// holds reports whether bytes bytes from p on are allocated.
bool holds(const void *p, size_t bytes) {
  auto at = memory.upper_bound((char *)p);
  if (at == memory.begin()) return false;
  --at;
  return (char *)p + bytes <= at->first + at->second.bytes;
}

bool intact(const char *p, const Memory &m) {
  for (size_t i = 0; i < redzone; i++)
    if ((unsigned char)m.block[i] != redByte || (unsigned char)p[m.bytes + i] != redByte) return false;
  return true;
}

int checkRedzones(const std::string &what) {
  for (auto &m : memory)
    if (!intact(m.first, m.second)) return failForGood(illegalAddress, what + " wrote beside allocated memory");
  return ok;
}

// advance does the next piece of work of a stream.
int advance(Stream *s) {
  Work w = std::move(s->queue.front());
  s->queue.pop_front();
  return w();
}

int drain(Stream *s) {
  while (!s->queue.empty())
    if (int rc = advance(s)) return rc;
  return checkRedzones("something");
}

// await does the work of a stream until an event that was marked there for the n-th time has happened.
int await(Event *e, long n, Stream *on) {
  while (e->happened < n) {
    if (!streams.count(on) || on->queue.empty()) return failForGood(launchFailed, "streams wait for each other");
    if (int rc = advance(on)) return rc;
  }
  return ok;
}

int enqueue(void *stream, Work w) {
  if (!streams.count(stream)) return fail(invalidHandle, "no such stream");
  ((Stream *)stream)->queue.push_back(std::move(w));
  return ok;
}

int copy(void *dst, const void *src, size_t bytes, const void *onDevice) {
  if (!holds(onDevice, bytes)) return failForGood(illegalAddress, "copy of memory that is not allocated");
  memmove(dst, src, bytes);
  return ok;
}

int runKernel(const fake::Kernel &k, Dim grid, Dim block, size_t shared, const std::string &arguments, const std::vector<size_t> &at) {
  for (size_t i = 0; i < at.size(); i++) {
    void *p;
    if (!k.params[i].pointer) continue;
    memcpy(&p, arguments.data() + at[i], sizeof p);
    if (p && !holds(p, 0))
      return failForGood(illegalAddress, std::string(k.name) + ": argument " + std::to_string(i) + " points to no allocated memory");
  }
  std::unique_ptr<double[]> copied(new double[arguments.size() / 8 + 1]);  // aligned
  memcpy(copied.get(), arguments.data(), arguments.size());
  if (const char *wrong = fake::launch(k, grid, block, shared, (const char *)copied.get(), at.data()))
    return failForGood(launchFailed, std::string(k.name) + ": " + wrong);
  return checkRedzones(k.name);
}

}  // namespace

bool fake::allocated(const char *p, size_t bytes, const char **from, const char **to) {
  if (!holds(p, bytes)) return false;
  auto at = memory.upper_bound((char *)p);
  --at;
  *from = at->first;
  *to = at->first + at->second.bytes;
  return true;
}

extern "C" {

int cuInit(unsigned) {
  ALONE
  initialized = true;
  return ok;
}
int cuDriverGetVersion(int *v) { return *v = 12040, ok; }
int cuDeviceGetCount(int *n) {
  if (!initialized) return fail(notInitialized, "cuInit comes first");
  return *n = devices, ok;
}
int cuDeviceGet(int *d, int i) {
  if (i < 0 || i >= devices) return fail(invalidDevice, "there are devices 0 to 2");
  return *d = i, ok;
}
int cuDeviceGetName(char *s, int n, int device) {
  static const char *names[devices] = {"fake of the host", "fake of an old GPU", "fake of a driver that refuses code"};
  strncpy(s, names[device], n);
  return ok;
}
int cuDeviceTotalMem_v2(size_t *n, int) { return *n = memoryBytes, ok; }
int cuDeviceGetAttribute(int *v, int attribute, int device) {
  switch (attribute) {
    case 16: return *v = 4, ok;   // multiprocessors
    case 75: return *v = device == 1 ? 7 : 8, ok;  // compute capability
    case 76: return *v = device == 1 ? 5 : 0, ok;
  }
  return fail(invalidValue, "an attribute that the fake does not know");
}
int cuDevicePrimaryCtxRetain(void **c, int device) {
  ALONE
  users++;
  return *c = primary + device, ok;
}
int cuDevicePrimaryCtxRelease_v2(int) {
  ALONE
  if (--users > 0) return ok;
  int left = (int)(memory.size() + hostMemory.size() + streams.size() + graphs.size() + events.size() + modules.size());
  for (auto &m : memory) free(m.second.block);
  memory.clear();
  for (auto all : {&hostMemory, &streams, &graphs, &events, &modules}) all->clear();
  used = 0;
  int before = sticky;
  sticky = ok;
  return left && !before ? fail(invalidContext, std::to_string(left) + " objects were not freed") : ok;
}
int cuCtxSetCurrent(void *c) { return context = c, ok; }

int cuMemGetInfo_v2(size_t *free, size_t *total) {
  REQUIRE_CONTEXT
  return *free = memoryBytes - used, *total = memoryBytes, ok;
}
int cuMemAlloc_v2(void **p, size_t n) {
  REQUIRE_CONTEXT
  if (n == 0) return fail(invalidValue, "nothing to allocate");
  if (n > memoryBytes - used) return fail(outOfMemory, "out of memory");
  size_t all = (n + 2 * redzone + 255) / 256 * 256;
  char *block = (char *)aligned_alloc(256, all);
  memset(block, redByte, all);
  memset(block + redzone, freshByte, n);
  memory[block + redzone] = {n, block};
  used += n;
  return *p = block + redzone, ok;
}
int cuMemFree_v2(void *p) {
  REQUIRE_CONTEXT
  auto at = memory.find((char *)p);
  if (at == memory.end()) return fail(invalidValue, "memory that was not allocated, or freed before");
  for (void *s : streams)
    if (int rc = drain((Stream *)s)) return rc;
  used -= at->second.bytes;
  free(at->second.block);
  memory.erase(at);
  return ok;
}
int cuMemHostAlloc(void **p, size_t n, unsigned) {
  REQUIRE_CONTEXT
  *p = malloc(n);
  hostMemory.insert(*p);
  return ok;
}
int cuMemFreeHost(void *p) {
  REQUIRE_CONTEXT
  if (!hostMemory.erase(p)) return fail(invalidValue, "memory that was not allocated, or freed before");
  return free(p), ok;
}

int cuStreamCreate(void **s, unsigned) {
  REQUIRE_CONTEXT
  streams.insert(*s = new Stream);
  return ok;
}
int cuStreamDestroy_v2(void *s) {
  REQUIRE_CONTEXT
  if (!streams.erase(s)) return fail(invalidHandle, "no such stream");
  return delete (Stream *)s, ok;
}
int cuStreamSynchronize(void *s) {
  REQUIRE_CONTEXT
  if (!streams.count(s)) return fail(invalidHandle, "no such stream");
  if (((Stream *)s)->capturing) return fail(captureUnsupported, "the stream is being captured");
  return drain((Stream *)s);
}
int cuStreamQuery(void *s) {  // work is done when it is asked for again
  REQUIRE_CONTEXT
  if (!streams.count(s)) return fail(invalidHandle, "no such stream");
  Stream *stream = (Stream *)s;
  if (stream->capturing) return fail(captureUnsupported, "the stream is being captured");
  stream->asked = !stream->asked && !stream->queue.empty();
  return stream->asked ? fail(notReady, "work is under way") : drain(stream);
}
int cuStreamBeginCapture_v2(void *s, int) {
  REQUIRE_CONTEXT
  if (!streams.count(s)) return fail(invalidHandle, "no such stream");
  if (int rc = drain((Stream *)s)) return rc;
  return ((Stream *)s)->capturing = true, ok;
}
int cuStreamEndCapture(void *s, void **g) {
  REQUIRE_CONTEXT
  if (!streams.count(s) || !((Stream *)s)->capturing) return fail(invalidHandle, "nothing is being captured");
  ((Stream *)s)->capturing = false;
  Graph *made = new Graph;
  made->work.swap(((Stream *)s)->queue);
  graphs.insert(*g = made);
  return ok;
}
int cuGraphInstantiateWithFlags(void **exec, void *g, u_int64_t) {
  REQUIRE_CONTEXT
  if (!graphs.count(g)) return fail(invalidHandle, "no such graph");
  graphs.insert(*exec = new Graph(*(Graph *)g));
  return ok;
}
int cuGraphLaunch(void *exec, void *s) {
  REQUIRE_CONTEXT
  if (!graphs.count(exec)) return fail(invalidHandle, "no such graph");
  for (auto &w : ((Graph *)exec)->work)
    if (int rc = enqueue(s, w)) return rc;
  return ok;
}
int cuGraphDestroy(void *g) {
  REQUIRE_CONTEXT
  if (!graphs.erase(g)) return fail(invalidHandle, "no such graph");
  return delete (Graph *)g, ok;
}
int cuGraphExecDestroy(void *g) { return cuGraphDestroy(g); }

int cuMemcpyHtoDAsync_v2(void *d, const void *h, size_t n, void *s) {
  REQUIRE_CONTEXT
  if (!holds(d, n)) return fail(invalidValue, "copy to memory that is not allocated");
  return enqueue(s, [=] { return copy(d, h, n, d); });
}
int cuMemcpyDtoHAsync_v2(void *h, const void *d, size_t n, void *s) {
  REQUIRE_CONTEXT
  if (!holds(d, n)) return fail(invalidValue, "copy from memory that is not allocated");
  return enqueue(s, [=] { return copy(h, d, n, d); });
}
int cuMemcpyDtoDAsync_v2(void *d, const void *from, size_t n, void *s) {
  REQUIRE_CONTEXT
  if (!holds(d, n) || !holds(from, n)) return fail(invalidValue, "copy of memory that is not allocated");
  return enqueue(s, [=] { return copy(d, from, n, d); });
}
int cuMemsetD8Async(void *d, unsigned char v, size_t n, void *s) {
  REQUIRE_CONTEXT
  if (!holds(d, n)) return fail(invalidValue, "memory that is not allocated is to be set");
  return enqueue(s, [=] {
    if (!holds(d, n)) return failForGood(illegalAddress, "memory was freed before it was set");
    return memset(d, v, n), 0;
  });
}

static int load_module(void **m, const void *image, std::string *log) {
  REQUIRE_CONTEXT
  std::string text((const char *)image);
  if (text.find(".version") == std::string::npos) return fail(invalidImage, "this is not PTX");
  std::unique_ptr<Module> made(new Module);
  const std::string mark = ".entry ";
  for (size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
    at += mark.size();
    made->entries.insert(text.substr(at, text.find('(', at) - at));
  }
  bool compiled = !made->entries.empty();  // into this library, ahead
  for (auto &e : made->entries) compiled = compiled && fake::find(e.c_str());
  if (!compiled) {
    std::string wrong;
    made->written = fake::read_ptx(text, &wrong);
    if (context == primary + refusing) wrong = "this driver refuses all code";
    if (!wrong.empty()) return *log = wrong, fail(invalidPtx, "a PTX JIT compilation failed");
    for (auto &k : made->written) {
      fake::Kernel kernel = fake::kernel_of(*k);
      made->kernels[kernel.name] = kernel;
    }
  }
  modules.insert(*m = made.release());
  return ok;
}
int cuModuleLoadDataEx(void **m, const void *image, unsigned n, const int *options, void **values) {
  std::string log;
  int result = load_module(m, image, &log);
  char *to = nullptr;
  size_t room = 0;
  for (unsigned i = 0; i < n; i++) {
    if (options[i] == 5) to = (char *)values[i];
    else if (options[i] == 6) room = (size_t)values[i];
    else return fail(invalidValue, "an option that the fake does not know");
  }
  if (to && room) strncpy(to, log.c_str(), room);
  return result;
}
int cuModuleUnload(void *m) {
  REQUIRE_CONTEXT
  if (!modules.erase(m)) return fail(invalidHandle, "no such module");
  return delete (Module *)m, ok;
}
int cuModuleGetFunction(const void **f, void *m, const char *name) {
  REQUIRE_CONTEXT
  if (!modules.count(m)) return fail(invalidHandle, "no such module");
  auto written = ((Module *)m)->kernels.find(name);
  if (written != ((Module *)m)->kernels.end()) return *f = &written->second, ok;
  *f = fake::find(name);
  if (!*f || !((Module *)m)->entries.count(name)) return fail(notFound, std::string("no kernel ") + name + " in this module");
  return ok;
}
int cuLaunchKernel(void *f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   void *stream, void **params, void **extra) {
  REQUIRE_CONTEXT
  const fake::Kernel &k = *(const fake::Kernel *)f;
  std::string name = k.name;
  if (!gx || !gy || !gz || gx > 0x7fffffff || gy > 65535 || gz > 65535) return fail(invalidValue, name + ": size of the grid");
  if (!bx || by != 1 || bz != 1 || bx > 1024) return fail(invalidValue, name + ": size of a block");
  if (bx > k.threads) return fail(outOfResources, name + ": more threads than it is compiled for");
  if (shared > 48 * 1024) return fail(invalidValue, name + ": more than 48 KiB of shared memory");
  if (params || extra[0] != (void *)1 || extra[2] != (void *)2 || extra[4]) return fail(invalidValue, name + ": arguments");
  std::vector<size_t> at;
  size_t end = 0;
  for (auto &p : k.params) {
    at.push_back((end + p.align - 1) / p.align * p.align);
    end = at.back() + p.size;
  }
  size_t size = *(size_t *)extra[3];
  if (size != end || size > 4096)
    return fail(invalidValue, name + ": " + std::to_string(size) + " bytes of arguments instead of " + std::to_string(end));
  std::string arguments((char *)extra[1], size);
  return enqueue(stream, [=, &k] { return runKernel(k, {gx, gy, gz}, {bx, 1, 1}, shared, arguments, at); });
}

int cuEventCreate(void **e, unsigned) {
  REQUIRE_CONTEXT
  events.insert(*e = new Event);
  return ok;
}
int cuEventDestroy_v2(void *e) {
  REQUIRE_CONTEXT
  if (!events.erase(e)) return fail(invalidHandle, "no such event");
  return delete (Event *)e, ok;
}
int cuEventRecord(void *e, void *s) {
  REQUIRE_CONTEXT
  if (!events.count(e)) return fail(invalidHandle, "no such event");
  if (!streams.count(s)) return fail(invalidHandle, "no such stream");
  if (((Stream *)s)->capturing) return fail(captureUnsupported, "the fake does not capture events");
  long n = ++((Event *)e)->marked;
  ((Event *)e)->on = (Stream *)s;
  return enqueue(s, [=] { return ((Event *)e)->at = now(), ((Event *)e)->happened = n, 0; });
}
// cuEventQuery says once that work is under way, as cuStreamQuery does.
int cuEventQuery(void *p) {
  REQUIRE_CONTEXT
  if (!events.count(p)) return fail(invalidHandle, "no such event");
  Event *e = (Event *)p;
  if (e->happened >= e->marked) return ok;
  if ((e->asked = !e->asked)) return fail(notReady, "work is under way");
  return await(e, e->marked, e->on);
}
int cuStreamWaitEvent(void *s, void *e, unsigned) {
  REQUIRE_CONTEXT
  if (!events.count(e)) return fail(invalidHandle, "no such event");
  if (streams.count(s) && ((Stream *)s)->capturing) return fail(captureUnsupported, "the fake does not capture events");
  long n = ((Event *)e)->marked;
  Stream *on = ((Event *)e)->on;
  return enqueue(s, [=] { return await((Event *)e, n, on); });
}
int cuEventElapsedTime(float *ms, void *a, void *b) {
  REQUIRE_CONTEXT
  if (!events.count(a) || !events.count(b)) return fail(invalidHandle, "no such event");
  Event *x = (Event *)a, *y = (Event *)b;
  if (x->at < 0 || y->at < 0) return fail(notReady, "an event has not happened yet");
  return *ms = (float)(y->at - x->at), ok;
}

int cuGetErrorString(int, const char **s) { return *s = detail.c_str(), ok; }

}  // extern "C"
