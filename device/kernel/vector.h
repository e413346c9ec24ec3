// Vectors of lanes floats for one instruction set; included by a file that has chosen it (LANES is 8 or 16).
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef float vec __attribute__((vector_size(4 * LANES)));
typedef int32_t veci __attribute__((vector_size(4 * LANES)));
typedef vec vec_unaligned __attribute__((aligned(4), may_alias));

static inline vec load(const float* p) { return *(const vec_unaligned*)p; }
static inline void store(float* p, vec v) { *(vec_unaligned*)p = v; }
static inline vec all(float x) { return x - (vec){}; }
static inline vec pick(veci mask, vec yes, vec no) { return (vec)((mask & (veci)yes) | (~mask & (veci)no)); }
static inline vec vmax(vec a, vec b) { return pick(a > b, a, b); }
static inline int64_t round_up(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

static inline float total(vec v) {
  float t[LANES], s = 0;
  store(t, v);
  for (int i = 0; i < LANES; i++) s += t[i];
  return s;
}

static inline float largest(vec v) {
  float t[LANES], m;
  store(t, v);
  m = t[0];
  for (int i = 1; i < LANES; i++) m = t[i] > m ? t[i] : m;
  return m;
}

// expv is exp(x) for x ≤ 88, to 2 units in the last place; below -87 it is 0. x = n·ln 2 + r with |r| ≤ ln 2 / 2, and e^r by a polynomial of
// degree 6 (the coefficients of Cephes' expf, Moshier 1989).
static inline vec expv(vec x) {
  veci dead = x < -87.0f;
  vec shifted = x * 1.44269504f + 12582912.0f;  // 1.5·2^23: the sum's low bits are the nearest integer
  vec n = shifted - 12582912.0f;
  vec r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  veci scale = ((veci)shifted << 23);
  vec y = (vec)((veci)p + scale);
  return pick(dead, (vec){}, y);
}

static inline vec sigmoidv(vec x) { return 1 / (1 + expv(-vmax(x, all(-80)))); }

// logv is log(x) for normal positive x, to 2 units in the last place: x = 2^e·m with m in [√½, √2), and log m by a polynomial (Cephes' logf).
static inline vec logv(vec x) {
  veci bits = (veci)x;
  veci e = ((bits >> 23) & 0xff) - 126;
  vec m = (vec)((bits & 0x007fffff) | 0x3f000000);  // [0.5, 1)
  veci low = m < 0.707106781f;
  m = pick(low, m + m, m) - 1.0f;
  e += low;  // -1 where low
  vec n = __builtin_convertvector(e, vec);
  vec z = m * m;
  vec p = m * 7.0376836292e-2f + -1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m + -1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m + -1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m + -2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  vec y = p * m * z + n * -2.12194440e-4f - z * 0.5f;
  return m + y + n * 0.693359375f;
}
