// The part of PTX that is written at run time (see emit.go), on the host. A module is parsed strictly: what NVIDIA's assembler would
// refuse has to be refused here, so an instruction has to be known, with operands of its types, registers and labels have to
// be declared, and a kernel is run only with the parameters that it declares.
//
// The threads of a block go on together, instruction by instruction, each over all threads that are there; where they part, those
// that are behind go on first. So that missing barriers are found nevertheless, shared memory knows which thread touched a word
// since the last barrier. Access to global memory outside of what is allocated is found, reads too.
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "machine.h"

namespace fake {

namespace {

typedef long long i64;
typedef unsigned long long u64;

const int mostThreads = 1024;  // of a block
enum Class { pred, word, wide, single, twice, numClasses };
const int bytesOf[] = {1, 4, 8, 4, 8};

struct Operands { int reg[8]; int n = 0; };  // where their lines begin in Run::file, in bytes
struct Run;
struct Instr;
typedef void (*Step)(Run &, const Instr &);
struct Instr {
  Step step = nullptr;
  const char *name = "";
  int line = 0, guard = -1;  // position of the predicate
  bool negated = false;
  Operands to;               // registers: what is set, then what is read
  i64 number = 0;            // bytes added to an address; a parameter; the target of a branch
};

// A thread's registers are one element each of lines as long as the block; constants are lines too.
struct Line { Class type; u64 value; int at; };

}  // namespace

struct Ptx {
  std::string name;
  std::vector<Param> params;
  std::vector<std::string> paramTypes;
  std::vector<Instr> code;
  std::vector<Line> constants;
  int threads = 0, fileBytes = 0;
  mutable std::vector<char> file;
};

namespace {

struct Run {
  const Ptx &k;
  const char *arguments;
  const size_t *offsets;
  unsigned threads, n;         // of the block; those that go on now
  bool all;                    // they are all there are
  std::vector<unsigned> now;
  std::vector<int> pc;
  char *file;
  std::string wrong;
  size_t shared;               // bytes that the launch asks for
  std::vector<int> writer, reader;  // of each word of shared memory since the last barrier: a thread, -1 none, -2 several
  const char *from = nullptr, *to = nullptr;  // allocated memory that was touched last

  template <class T> T *line(int at) { return (T *)(file + at); }
  void fail(const Instr &i, const std::string &why) {
    if (wrong.empty()) wrong = "line " + std::to_string(i.line) + ", " + i.name + ": " + why;
  }
};

// each calls f for the threads that go on.
template <class Fn> inline void each(Run &x, Fn f) {
  if (x.all) {
    const unsigned n = x.threads;
    for (unsigned t = 0; t < n; t++) f(t);
  } else {
    for (unsigned i = 0; i < x.n; i++) f(x.now[i]);
  }
}

template <class D, class A, class Fn> inline void map1(Run &x, const Instr &i, Fn f) {
  D *d = x.line<D>(i.to.reg[0]);
  const A *a = x.line<A>(i.to.reg[1]);
  each(x, [=](unsigned t) { d[t] = f(a[t]); });
}
template <class D, class A, class B, class Fn> inline void map2(Run &x, const Instr &i, Fn f) {
  D *d = x.line<D>(i.to.reg[0]);
  const A *a = x.line<A>(i.to.reg[1]);
  const B *b = x.line<B>(i.to.reg[2]);
  each(x, [=](unsigned t) { d[t] = f(a[t], b[t]); });
}
template <class D, class A, class B, class C, class Fn> inline void map3(Run &x, const Instr &i, Fn f) {
  D *d = x.line<D>(i.to.reg[0]);
  const A *a = x.line<A>(i.to.reg[1]);
  const B *b = x.line<B>(i.to.reg[2]);
  const C *c = x.line<C>(i.to.reg[3]);
  each(x, [=](unsigned t) { d[t] = f(a[t], b[t], c[t]); });
}

// Numbers become whole ones as on a GPU: NaN is 0, and what is beyond becomes the last there is.
template <class F> int truncated(F x) {
  if (x != x) return 0;
  return x >= (F)2147483647 ? 2147483647 : x <= (F)-2147483648. ? -2147483647 - 1 : (int)x;
}

char *globalAt(Run &x, const Instr &i, u64 address, size_t bytes) {
  char *p = (char *)(address + i.number);
  if (p < x.from || p + bytes > x.to)
    if (!allocated(p, bytes, &x.from, &x.to)) return x.fail(i, "address outside of allocated memory"), nullptr;
  if ((u64)p % bytes) return x.fail(i, "address that is not aligned"), nullptr;
  return p;
}

// T and count say what is moved; values are operands first, first+1 ...
template <class T, int count> void loadGlobal(Run &x, const Instr &i) {
  const u64 *a = x.line<u64>(i.to.reg[count]);
  each(x, [&](unsigned t) {
    if (const char *p = globalAt(x, i, a[t], count * sizeof(T)))
      for (int c = 0; c < count; c++) memcpy(x.line<T>(i.to.reg[c]) + t, p + c * sizeof(T), sizeof(T));
  });
}
template <class T, int count> void storeGlobal(Run &x, const Instr &i) {
  const u64 *a = x.line<u64>(i.to.reg[0]);
  each(x, [&](unsigned t) {
    if (char *p = globalAt(x, i, a[t], count * sizeof(T)))
      for (int c = 0; c < count; c++) memcpy(p + c * sizeof(T), x.line<T>(i.to.reg[1 + c]) + t, sizeof(T));
  });
}

template <class T> char *sharedAt(Run &x, const Instr &i, u64 address, unsigned thread, bool writes) {
  char *p = (char *)(address + i.number), *begin = (char *)dynamic_shared;
  if (p < begin || p + sizeof(T) > begin + x.shared) return x.fail(i, "address outside of shared memory"), nullptr;
  if ((u64)p % sizeof(T)) return x.fail(i, "address that is not aligned"), nullptr;
  for (size_t w = (p - begin) / 4; w < (p - begin + sizeof(T)) / 4; w++) {
    int &writer = x.writer[w], &reader = x.reader[w], me = (int)thread;
    if ((writer != -1 && writer != me) || (writes && reader != -1 && reader != me)) return x.fail(i, "a barrier is missing"), nullptr;
    if (writes) writer = me;
    else reader = reader == -1 || reader == me ? me : -2;
  }
  return p;
}
template <class T> void loadShared(Run &x, const Instr &i) {
  const u64 *a = x.line<u64>(i.to.reg[1]);
  each(x, [&](unsigned t) {
    if (const char *p = sharedAt<T>(x, i, a[t], t, false)) memcpy(x.line<T>(i.to.reg[0]) + t, p, sizeof(T));
  });
}
template <class T> void storeShared(Run &x, const Instr &i) {
  const u64 *a = x.line<u64>(i.to.reg[0]);
  each(x, [&](unsigned t) {
    if (char *p = sharedAt<T>(x, i, a[t], t, true)) memcpy(p, x.line<T>(i.to.reg[1]) + t, sizeof(T));
  });
}

template <class T> void loadParam(Run &x, const Instr &i) {
  T v;
  memcpy(&v, x.arguments + x.offsets[i.number], sizeof v);
  T *d = x.line<T>(i.to.reg[0]);
  each(x, [=](unsigned t) { d[t] = v; });
}

void special(Run &x, unsigned *d, int which) {
  each(x, [=](unsigned t) { d[t] = which == 0 ? t : which == 1 ? blockIdx.x : which == 2 ? gridDim.x : blockDim.x; });
}
void moveSpecial(Run &x, const Instr &i) { special(x, x.line<unsigned>(i.to.reg[0]), (int)i.number); }
void moveShared(Run &x, const Instr &i) {
  u64 *d = x.line<u64>(i.to.reg[0]);
  each(x, [=](unsigned t) { d[t] = (u64)dynamic_shared; });
}

// Kinds of operands in the table: p predicate, r 32 bits, R 64 bits, f float, d double; [ an address in memory, which is one of R with
// something added; m a parameter; L a label; 0 the number 0; { four or two numbers in braces, of the letter that follows.
struct Form { const char *name, *operands; Step step; };

#define M1(name, kinds, D, A, e) {name, kinds, [](Run &x, const Instr &i) { map1<D, A>(x, i, [](A a) -> D { return e; }); }},
#define M2(name, kinds, D, A, B, e) {name, kinds, [](Run &x, const Instr &i) { map2<D, A, B>(x, i, [](A a, B b) -> D { return e; }); }},
#define M3(name, kinds, D, A, B, C, e) \
  {name, kinds, [](Run &x, const Instr &i) { map3<D, A, B, C>(x, i, [](A a, B b, C c) -> D { return e; }); }},

#define FLOATS(T, t, k)                                  \
  M1("mov." t, k k, T, T, a)                             \
  M2("add.rn." t, k k k, T, T, T, a + b)                 \
  M2("sub.rn." t, k k k, T, T, T, a - b)                 \
  M2("mul.rn." t, k k k, T, T, T, a * b)                 \
  M2("div.rn." t, k k k, T, T, T, a / b)                 \
  M3("fma.rn." t, k k k k, T, T, T, T, std::fma(a, b, c)) \
  M1("rcp.rn." t, k k, T, T, 1 / a)                      \
  M1("sqrt.rn." t, k k, T, T, std::sqrt(a))              \
  M1("neg." t, k k, T, T, -a)                            \
  M1("abs." t, k k, T, T, std::fabs(a))                  \
  M2("setp.lt." t, "p" k k, bool, T, T, a < b)           \
  M2("setp.gt." t, "p" k k, bool, T, T, a > b)           \
  M2("setp.ge." t, "p" k k, bool, T, T, a >= b)          \
  M2("setp.nan." t, "p" k k, bool, T, T, a != a || b != b) \
  M3("selp." t, k k k "p", T, T, T, bool, c ? a : b)     \
  M1("cvt.rni." t "." t, k k, T, T, std::nearbyint(a))   \
  M1("cvt.rzi.s32." t, "r" k, int, T, truncated(a))      \
  {"ld.param." t, k "m", loadParam<T>},                  \
  {"ld.global." t, k "[", loadGlobal<T, 1>},             \
  {"st.global." t, "[" k, storeGlobal<T, 1>},            \
  {"ld.shared." t, k "[", loadShared<T>},                \
  {"st.shared." t, "[" k, storeShared<T>},

void branch(Run &, const Instr &) {}  // the loop does it
void finish(Run &, const Instr &) {}
void wait(Run &, const Instr &) {}

const Form forms[] = {
  FLOATS(float, "f32", "f") FLOATS(double, "f64", "d")
  {"ld.global.v4.f32", "{f[", loadGlobal<float, 4>},
  {"st.global.v4.f32", "[{f", storeGlobal<float, 4>},
  {"ld.global.v2.f64", "{d[", loadGlobal<double, 2>},
  {"st.global.v2.f64", "[{d", storeGlobal<double, 2>},
  {"ld.global.u32", "r[", loadGlobal<unsigned, 1>},
  {"ld.param.u32", "rm", loadParam<unsigned>},
  {"ld.param.u64", "Rm", loadParam<u64>},
  M1("cvt.f64.f32", "df", double, float, a)
  M1("cvt.rn.f32.f64", "fd", float, double, (float)a)
  M1("mov.b32", "fr", unsigned, unsigned, a)
  M1("mov.b64", "dR", u64, u64, a)
  M1("mov.u32", "rr", unsigned, unsigned, a)
  M1("mov.u64", "RR", u64, u64, a)
  M1("cvta.to.global.u64", "RR", u64, u64, a)
  M2("add.s32", "rrr", unsigned, unsigned, unsigned, a + b)
  M2("sub.s32", "rrr", unsigned, unsigned, unsigned, a - b)
  M2("mul.lo.s32", "rrr", unsigned, unsigned, unsigned, a * b)
  M2("min.s32", "rrr", int, int, int, a < b ? a : b)
  M2("max.s32", "rrr", int, int, int, a > b ? a : b)
  M2("div.s32", "rrr", int, int, int, b ? a / b : -1)
  M2("div.u32", "rrr", unsigned, unsigned, unsigned, b ? a / b : ~0u)
  M2("shl.b32", "rrr", unsigned, unsigned, unsigned, b > 31 ? 0 : a << b)
  M2("shr.u32", "rrr", unsigned, unsigned, unsigned, b > 31 ? 0 : a >> b)
  M2("shr.s32", "rrr", int, int, unsigned, a >> (b > 31 ? 31 : b))
  M2("add.s64", "RRR", u64, u64, u64, a + b)
  M2("shl.b64", "RRr", u64, u64, unsigned, b > 63 ? 0 : a << b)
  M2("shr.u64", "RRr", u64, u64, unsigned, b > 63 ? 0 : a >> b)
  M2("mul.wide.u32", "Rrr", u64, unsigned, unsigned, (u64)a * b)
  M1("cvt.u32.u64", "rR", unsigned, u64, (unsigned)a)
  M1("cvt.s64.s32", "Rr", i64, int, a)
  M2("setp.lt.u32", "prr", bool, unsigned, unsigned, a < b)
  M2("setp.ge.u32", "prr", bool, unsigned, unsigned, a >= b)
  M2("setp.lt.s32", "prr", bool, int, int, a < b)
  M2("setp.gt.s32", "prr", bool, int, int, a > b)
  M2("setp.ge.s32", "prr", bool, int, int, a >= b)
  M2("setp.eq.s32", "prr", bool, int, int, a == b)
  M2("and.pred", "ppp", bool, bool, bool, a && b)
  M1("not.pred", "pp", bool, bool, !a)
  {"bra", "L", branch},
  {"ret", "", finish},
  {"bar.sync", "0", wait},
};

const Form *formOf(const std::string &name) {
  static const std::map<std::string, const Form *> all = [] {
    std::map<std::string, const Form *> m;
    for (auto &f : forms) m[f.name] = &f;
    return m;
  }();
  auto at = all.find(name);
  return at == all.end() ? nullptr : at->second;
}

// A Reader reads a module word by word; the first thing that is wrong stays in error.
struct Reader {
  std::string text, error;
  size_t at = 0;
  int line = 1;
  bool shared = false;  // dynamic_shared is declared

  Ptx *k = nullptr;
  int count[numClasses];  // registers that are declared; those with names %r0 ... %r(count-1)
  int base[numClasses];
  std::map<std::string, int> labels;
  std::vector<std::pair<size_t, std::string>> jumps;

  bool fail(const std::string &why) {
    if (error.empty()) error = "line " + std::to_string(line) + ": " + why;
    return false;
  }
  void skip() {
    for (; at < text.size() && isspace((unsigned char)text[at]); at++) line += text[at] == '\n';
  }
  bool ends() { return skip(), at == text.size(); }
  static bool isName(char c) { return isalnum((unsigned char)c) || strchr("_.$%-", c); }
  // next is a word of letters, or one other character.
  std::string next() {
    skip();
    size_t from = at;
    while (at < text.size() && text[at] && isName(text[at])) at++;
    if (at == from && at < text.size()) at++;
    return text.substr(from, at - from);
  }
  bool want(const std::string &w) {
    std::string got = next();
    return got == w || fail("'" + got + "' instead of '" + w + "'");
  }
  bool peek(char c) { return skip(), at < text.size() && text[at] == c; }

  bool head();
  bool entry(Ptx &into);
  bool parameters();
  bool registers();
  bool instruction(std::string word);
  bool operands(Instr &i, const char *kinds);
  bool operand(Instr &i, char kind);
  bool address(Instr &i);
  bool constant(Instr &i, char kind, const std::string &w);
  bool body();
};

bool Reader::head() {
  for (auto w : {".version", "6.3", ".target", "sm_75", ".address_size", "64"})
    if (!want(w)) return false;
  if (text.compare(at, 9, "\n.extern ")) return true;
  for (auto w : {".extern", ".shared", ".align", "8", ".b8", "dynamic_shared", "[", "]", ";"})
    if (!want(w)) return false;
  return shared = true;
}

bool Reader::parameters() {
  static const std::map<std::string, size_t> sizes = {{".u32", 4}, {".f32", 4}, {".u64", 8}, {".f64", 8}};
  if (!want("(")) return false;
  for (int n = 0; !peek(')'); n++) {
    if (n && !want(",")) return false;
    if (!want(".param")) return false;
    std::string type = next();
    auto size = sizes.find(type);
    if (size == sizes.end()) return fail("a parameter of type " + type);
    if (!want(k->name + "_param_" + std::to_string(n))) return false;
    k->params.push_back({size->second, size->second, false});
    k->paramTypes.push_back(type);
  }
  return want(")");
}

bool Reader::registers() {
  static const std::map<std::string, std::pair<Class, const char *>> types = {
      {".pred", {pred, "%p"}}, {".b32", {word, "%r"}}, {".b64", {wide, "%rd"}}, {".f32", {single, "%f"}}, {".f64", {twice, "%fd"}}};
  std::string type = next();
  auto t = types.find(type);
  if (t == types.end()) return fail("registers of type " + type);
  if (count[t->second.first]) return fail("registers that are declared twice");
  if (!want(t->second.second) || !want("<")) return false;
  int n = atoi(next().c_str());
  if (n <= 0 || n > 1 << 20) return fail("number of registers");
  count[t->second.first] = n;
  base[t->second.first] = k->fileBytes;
  k->fileBytes += (n * k->threads * bytesOf[t->second.first] + 7) / 8 * 8;
  return want(">") && want(";");
}

bool Reader::entry(Ptx &into) {
  k = &into;
  memset(count, 0, sizeof count);
  labels.clear();
  jumps.clear();
  if (!want(".visible") || !want(".entry")) return false;
  k->name = next();
  if (!parameters() || !want(".maxntid")) return false;
  k->threads = atoi(next().c_str());
  if (k->threads < 1 || k->threads > mostThreads) return fail("threads of a block");
  for (auto w : {",", "1", ",", "1", "{"})
    if (!want(w)) return false;
  return body();
}

bool Reader::body() {
  for (;;) {
    if (ends()) return fail("a kernel without an end");
    std::string w = next();
    if (w == "}") break;
    if (w == ".reg") {
      if (!k->code.empty()) return fail("registers declared after instructions");
      if (!registers()) return false;
    } else if (w[0] == '$') {
      if (!labels.emplace(w, (int)k->code.size()).second) return fail("label " + w + " twice");
      if (!want(":")) return false;
    } else if (!instruction(w)) {
      return false;
    }
  }
  if (k->code.empty() || k->code.back().step != finish) return fail("a kernel that does not end with ret");
  for (auto &j : jumps) {
    auto to = labels.find(j.second);
    if (to == labels.end()) return fail("no label " + j.second);
    k->code[j.first].number = to->second;
    if (to->second == (int)k->code.size()) return fail("label " + j.second + " at the end");
  }
  return true;
}

bool Reader::instruction(std::string w) {
  Instr i;
  if (w == "@") {
    w = next();
    if (w == "!") i.negated = true, w = next();
    if (w.compare(0, 2, "%p") || !count[pred]) return fail("a condition " + w);
    at -= w.size();
    Instr guard;
    if (!operand(guard, 'p')) return false;
    i.guard = guard.to.reg[0];
    w = next();
  }
  const Form *form = formOf(w);
  i.line = line;
  if (w.rfind("mov.u", 0) == 0) {  // special registers and addresses
    size_t before = at;
    int lineBefore = line;
    std::string d = next(), comma = next(), what = next();
    static const std::map<std::string, int> specials = {{"%tid.x", 0}, {"%ctaid.x", 1}, {"%nctaid.x", 2}, {"%ntid.x", 3}};
    auto s = specials.find(what);
    bool symbol = what == "dynamic_shared";
    at = before, line = lineBefore;
    static const Form ofSpecial = {"mov.u32", "r", moveSpecial}, ofShared = {"mov.u64", "R", moveShared};
    if (s != specials.end() && w == "mov.u32") form = &ofSpecial, i.number = s->second;
    if (symbol && w == "mov.u64") {
      if (!shared) return fail("dynamic_shared is not declared");
      form = &ofShared;
    }
    if (form == &ofSpecial || form == &ofShared) {
      i.step = form->step, i.name = form->name;
      if (!operand(i, form->operands[0]) || !want(",")) return false;
      next();
      k->code.push_back(i);
      return want(";");
    }
  }
  if (!form) return fail("unknown instruction " + w);
  i.step = form->step, i.name = form->name;
  if (!operands(i, form->operands)) return false;
  k->code.push_back(i);
  return want(";");
}

bool Reader::operands(Instr &i, const char *kinds) {
  for (const char *c = kinds; *c; c++) {
    if (c != kinds && !want(",")) return false;
    switch (*c) {
      case '[':
        if (!address(i)) return false;
        break;
      case '{': {
        const int n = c[1] == 'f' ? 4 : 2;
        if (!want("{")) return false;
        for (int x = 0; x < n; x++)
          if ((x && !want(",")) || !operand(i, c[1])) return false;
        if (!want("}")) return false;
        c++;
        break;
      }
      case 'm': {
        if (!want("[")) return false;
        std::string w = next(), prefix = k->name + "_param_";
        int n = w.compare(0, prefix.size(), prefix) ? -1 : atoi(w.c_str() + prefix.size());
        if (n < 0 || n >= (int)k->params.size() || w != prefix + std::to_string(n)) return fail("no parameter " + w);
        if (k->paramTypes[n] != std::string(i.name).substr(8)) return fail("parameter " + w + " has another type");
        i.number = n;
        if (!want("]")) return false;
        break;
      }
      case 'L':
        jumps.push_back({k->code.size(), next()});
        break;
      case '0':
        if (!want("0")) return false;
        break;
      default:
        if (c == kinds && !peek('%')) return fail(std::string(i.name) + " sets no register");
        if (!operand(i, *c)) return false;
    }
  }
  return true;
}

bool Reader::operand(Instr &i, char kind) {
  static const char *prefix[] = {"%p", "%r", "%rd", "%f", "%fd"};
  const Class c = kind == 'p' ? pred : kind == 'r' ? word : kind == 'R' ? wide : kind == 'f' ? single : twice;
  std::string w = next();
  if (w[0] != '%') return constant(i, kind, w);
  size_t digits = 1;
  while (digits < w.size() && isalpha((unsigned char)w[digits])) digits++;
  if (w.substr(0, digits) != prefix[c]) return fail(std::string(i.name) + " cannot have " + w + " there");
  int n = digits < w.size() ? atoi(w.c_str() + digits) : -1;
  if (n < 0 || n >= count[c] || w != prefix[c] + std::to_string(n)) return fail("register " + w + " is not declared");
  i.to.reg[i.to.n++] = base[c] + n * k->threads * bytesOf[c];
  return true;
}

// constant makes a line of a number: 0f and 0d with the digits of its bits, or a whole one.
bool Reader::constant(Instr &i, char kind, const std::string &w) {
  char *end = nullptr;
  u64 v = 0;
  const bool real = kind == 'f' || kind == 'd';
  if (i.to.n == 0 && strncmp(i.name, "st.", 3)) return fail(std::string(i.name) + " sets " + w);
  if (real) {
    if (w.size() != (kind == 'f' ? 10u : 18u) || w[0] != '0' || w[1] != kind) return fail("number " + w + " for " + i.name);
    v = strtoull(w.c_str() + 2, &end, 16);
  } else {
    if (kind == 'p' || w.empty()) return fail("'" + w + "' for a predicate");
    v = (u64)strtoll(w.c_str(), &end, 10);
  }
  if (*end) return fail("number " + w);
  const Class c = kind == 'r' ? word : kind == 'R' ? wide : kind == 'f' ? single : twice;
  for (auto &l : k->constants)
    if (l.type == c && l.value == v) return i.to.reg[i.to.n++] = l.at, true;
  k->constants.push_back({c, v, k->fileBytes});
  i.to.reg[i.to.n++] = k->fileBytes;
  k->fileBytes += (k->threads * bytesOf[c] + 7) / 8 * 8;
  return true;
}

bool Reader::address(Instr &i) {
  if (!want("[") || !peek('%') || !operand(i, 'R')) return fail("an address");
  if (peek('+')) {
    next();
    i.number = atoll(next().c_str());
  }
  return want("]");
}

// narrow leaves only those threads for which a condition holds.
bool narrow(Run &x, const Instr &i) {
  const bool *p = x.line<bool>(i.guard);
  std::vector<unsigned> some;
  each(x, [&](unsigned t) { if (p[t] != i.negated) some.push_back(t); });
  x.all = some.size() == x.threads;
  x.n = some.size();
  x.now.swap(some);
  return x.n > 0;
}

// choose picks the threads that go on: those that are farthest behind. It returns the place in the code where others are waiting.
int choose(Run &x) {
  int least = 1 << 30, next = 1 << 30;
  for (unsigned t = 0; t < x.threads; t++)
    if (x.pc[t] >= 0 && x.pc[t] < least) least = x.pc[t];
  x.now.clear();
  for (unsigned t = 0; t < x.threads; t++) {
    if (x.pc[t] == least) x.now.push_back(t);
    else if (x.pc[t] >= 0 && x.pc[t] < next) next = x.pc[t];
  }
  x.n = x.now.size();
  x.all = x.n == x.threads;
  return next;
}

// States of a thread in Run::pc besides a place in the code.
const int ended = -1, waiting = -2;  // and minus the place below that: waiting - place

bool release(Run &x) {
  int at = 0;
  bool any = false;
  for (unsigned t = 0; t < x.threads; t++) {
    if (x.pc[t] == ended) {
      if (any) x.wrong = "some threads of a block ended while others wait at a barrier";
      at = ended;
      continue;
    }
    if (at == ended) x.wrong = "some threads of a block ended while others wait at a barrier";
    else if (any && at != x.pc[t]) x.wrong = "threads wait at different barriers";
    any = true;
    at = at == ended ? ended : x.pc[t];
    x.pc[t] = waiting - x.pc[t] + 1;
  }
  if (any) {
    std::fill(x.writer.begin(), x.writer.end(), -1);
    std::fill(x.reader.begin(), x.reader.end(), -1);
  }
  return any;
}

// advance runs the chosen threads until they come where others are, part, wait or end.
void advance(Run &x, int next) {
  const std::vector<unsigned> group = x.now;
  const bool all = x.all;
  int pc = x.pc[group[0]];
  auto park = [&](int where) {
    for (unsigned t : group) x.pc[t] = where;
  };
  for (;; pc++) {
    if (pc >= next || !x.wrong.empty()) return park(pc);
    const Instr &i = x.k.code[pc];
    if (i.step == branch) {
      park(pc + 1);
      if (i.guard < 0 || narrow(x, i))
        for (unsigned n = 0; n < x.n; n++) x.pc[x.now[n]] = (int)i.number;
      return;
    }
    if (i.step == finish) return park(ended);
    if (i.step == wait) return park(waiting - pc);
    if (i.guard < 0) {
      i.step(x, i);
      continue;
    }
    if (narrow(x, i)) i.step(x, i);
    x.now = group, x.n = group.size(), x.all = all;
  }
}

}  // namespace

std::vector<std::shared_ptr<Ptx>> read_ptx(const std::string &text, std::string *error) {
  std::vector<std::shared_ptr<Ptx>> kernels;
  Reader r;
  r.text = text;
  if (r.head())
    while (!r.ends()) {
      kernels.push_back(std::make_shared<Ptx>());
      if (!r.entry(*kernels.back())) break;
      for (size_t i = 0; i + 1 < kernels.size(); i++)
        if (kernels[i]->name == kernels.back()->name) r.fail("kernel " + r.k->name + " twice");
    }
  *error = r.error;
  return kernels;
}

Kernel kernel_of(const Ptx &p) { return {p.name.c_str(), (unsigned)p.threads, p.params, nullptr, &p}; }

const char *run_ptx_block(const Kernel &k, unsigned threads, size_t shared, const char *arguments, const size_t *offsets) {
  const Ptx &p = *k.ptx;
  p.file.assign(p.fileBytes, (char)0xff);
  Run x{p, arguments, offsets, threads};
  x.shared = shared;
  x.file = p.file.data();
  x.pc.assign(threads, 0);
  x.writer.assign(shared_bytes / 4, -1);
  x.reader.assign(shared_bytes / 4, -1);
  for (auto &c : p.constants)
    for (unsigned t = 0; t < threads; t++) memcpy(x.file + c.at + t * bytesOf[c.type], &c.value, bytesOf[c.type]);
  static std::string wrong;
  for (;;) {
    int next = choose(x);
    if (x.n)
      advance(x, next);
    else if (!release(x))
      break;
    if (!x.wrong.empty()) return wrong = x.wrong, wrong.c_str();
  }
  return nullptr;
}

}  // namespace fake
