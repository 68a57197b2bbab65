// Exponentials, since there is no mathematical library on the device. Errors stay below one and a half units of the last
// place for exp and tanh; tests in package kerneltest measure them. Fast approximations of the hardware are not used: they
// flush small numbers to zero, and are off by more.
#pragma once
#include "shim.h"

// Constants by element type: log 2 in two parts, the first of few bits so that multiples of it are exact.
template <class F> struct Log2;
template <> struct Log2<float> {
  static constexpr float inverse = 1.44269504f, high = 0.693145752f, low = 1.42860677e-6f;
};
template <> struct Log2<double> {
  static constexpr double inverse = 1.4426950408889634, high = 0.693147180369123816490, low = 1.90821492927058770002e-10;
};

// power2 returns 2 to a power for which that is a normal number.
DEVICE float power2(float, int n) { return from_bits((n + 127) << 23); }
DEVICE double power2(double, int n) { return from_bits((i64)(n + 1023) << 52); }

DEVICE float nearest(float x) { return __builtin_rintf(x); }
DEVICE double nearest(double x) { return __builtin_rint(x); }
DEVICE float magnitude(float x) { return __builtin_fabsf(x); }
DEVICE double magnitude(double x) { return __builtin_fabs(x); }

// Beyond these, exp is 0 or infinite.
DEVICE float exp_top(float) { return 89.f; }
DEVICE double exp_top(double) { return 710.; }
DEVICE float exp_bottom(float) { return -104.f; }
DEVICE double exp_bottom(double) { return -746.; }

// exp_series returns (exp(r) - 1 - r) / r^2 for |r| <= log(2)/2, by the series of Taylor.
DEVICE float exp_series(float r) {
  float p = 1.f / 5040;
  p = muladd(p, r, 1.f / 720);
  p = muladd(p, r, 1.f / 120);
  p = muladd(p, r, 1.f / 24);
  p = muladd(p, r, 1.f / 6);
  return muladd(p, r, 0.5f);
}
DEVICE double exp_series(double r) {
  double p = 1. / 6227020800.;
  p = muladd(p, r, 1. / 479001600.);
  p = muladd(p, r, 1. / 39916800.);
  p = muladd(p, r, 1. / 3628800.);
  p = muladd(p, r, 1. / 362880.);
  p = muladd(p, r, 1. / 40320.);
  p = muladd(p, r, 1. / 5040.);
  p = muladd(p, r, 1. / 720.);
  p = muladd(p, r, 1. / 120.);
  p = muladd(p, r, 1. / 24.);
  p = muladd(p, r, 1. / 6.);
  return muladd(p, r, 0.5);
}

// exp_of is exp: with x = n log 2 + r it is 2^n exp(r). The power is split in two, as 2^n alone may not be a normal number.
template <class F> DEVICE F exp_of(F x) {
  if (x != x) return x;
  F y = x < exp_bottom(x) ? exp_bottom(x) : x > exp_top(x) ? exp_top(x) : x;
  F n = nearest(y * Log2<F>::inverse);
  F r = muladd(-n, Log2<F>::high, y);
  r = muladd(-n, Log2<F>::low, r);
  F p = muladd(exp_series(r) * r, r, r) + 1;
  int half = (int)n / 2;
  return p * power2(x, half) * power2(x, (int)n - half);
}

// tanh_small is tanh for |x| < 0.6: the continued fraction of Lambert, cut where the rest is below rounding.
DEVICE float tanh_small(float x) {
  float q = x * x;
  float num = muladd(q, 21.f, 1260.f);
  num = muladd(num, q, 10395.f);
  float den = muladd(q, 1.f, 210.f);
  den = muladd(den, q, 4725.f);
  den = muladd(den, q, 10395.f);
  return x * (num / den);
}
DEVICE double tanh_small(double x) {
  double q = x * x;
  double num = muladd(q, 36., 6930.);
  num = muladd(num, q, 270270.);
  num = muladd(num, q, 2027025.);
  double den = q + 630.;
  den = muladd(den, q, 51975.);
  den = muladd(den, q, 945945.);
  den = muladd(den, q, 2027025.);
  return x * (num / den);
}

template <class F> DEVICE F tanh_of(F x) {
  F a = magnitude(x);
  if (!(a >= F(0.6))) return tanh_small(x);  // NaN too
  F t = 1 - 2 / (exp_of(2 * a) + 1);
  return x < 0 ? -t : t;
}

template <class F> DEVICE F sigmoid_of(F x) {
  F e = exp_of(-magnitude(x));
  return (x < 0 ? e : F(1)) / (1 + e);
}

// log1p_series returns log(1+e) for 0 <= e <= 1: with s = e/(2+e) it is 2(s + s^3/3 + s^5/5 ...).
DEVICE float log1p_series(float e) {
  float s = e / (2 + e), q = s * s;
  float p = 1.f / 15;
  p = muladd(p, q, 1.f / 13);
  p = muladd(p, q, 1.f / 11);
  p = muladd(p, q, 1.f / 9);
  p = muladd(p, q, 1.f / 7);
  p = muladd(p, q, 1.f / 5);
  p = muladd(p, q, 1.f / 3);
  return 2 * muladd(p * q, s, s);
}
DEVICE double log1p_series(double e) {
  double s = e / (2 + e), q = s * s;
  double p = 1. / 33;
  UNROLL
  for (int n = 31; n >= 3; n -= 2) p = muladd(p, q, 1. / n);
  return 2 * muladd(p * q, s, s);
}

template <class F> DEVICE F softplus_of(F x) {
  F rest = log1p_series(exp_of(-magnitude(x)));
  return x > 0 ? x + rest : rest;  // NaN: rest
}
