// Products of a few rows with packed matrices, whose inner loops stay in registers. n, the number of rows, is a constant where it is called.
// Each value is summed in an order of its own, so it does not depend on which other rows are there. SUMS sums are under way at a time: fewer would
// leave multipliers waiting for each other's results.
#define INLINE static inline __attribute__((always_inline))

enum { SUMS = 8 };

// columns is products for m blocks of columns.
INLINE void columns(int n, int m, float* out, int64_t width, const float* const* a, const float* b, int64_t dim, float scale) {
  vec sum[SUMS];
  for (int i = 0; i < n * m; i++) sum[i] = (vec){};
  for (int64_t d = 0; d < dim; d++) {
    vec v[SUMS];
#pragma GCC unroll 8
    for (int c = 0; c < m; c++) v[c] = load(b + (c * dim + d) * LANES);
#pragma GCC unroll 8
    for (int c = 0; c < m; c++) __builtin_prefetch(b + ((m + c) * dim + d) * LANES);
#pragma GCC unroll 8
    for (int r = 0; r < n; r++) {
      vec x = all(a[r][d]);
#pragma GCC unroll 8
      for (int c = 0; c < m; c++) sum[c * n + r] += v[c] * x;
    }
  }
  for (int c = 0; c < m; c++)
    for (int r = 0; r < n; r++) store(out + r * width + c * LANES, sum[c * n + r] * scale);
}

// products writes out[r][j] = scale · a[r]·b[j] for columns j of blocks [from, to) of b [time / LANES][dim][LANES]; out has rows of width floats.
INLINE void products(int n, float* out, int64_t width, const float* const* a, const float* b, int64_t from, int64_t to, int64_t dim, float scale) {
  const int m = SUMS / n;
  int64_t j = from;
  for (; j + m <= to; j += m) columns(n, m, out + j * LANES, width, a, b + j * dim * LANES, dim, scale);
  for (; j + 2 <= to; j += 2) columns(n, 2, out + j * LANES, width, a, b + j * dim * LANES, dim, scale);
  if (j < to) columns(n, 1, out + j * LANES, width, a, b + j * dim * LANES, dim, scale);
}

// mixed is combine for m vectors of columns.
INLINE void mixed(int n, int m, float* out, const float* w, int64_t width, const float* b, int64_t from, int64_t to, int64_t wide) {
  vec sum[SUMS];
  for (int i = 0; i < n * m; i++) sum[i] = (vec){};
  for (int64_t j = from; j < to; j++) {
    vec v[SUMS];
#pragma GCC unroll 8
    for (int c = 0; c < m; c++) v[c] = load(b + j * wide + c * LANES);
#pragma GCC unroll 8
    for (int c = 0; c < m; c++) __builtin_prefetch(b + (j + 32) * wide + c * LANES);
#pragma GCC unroll 8
    for (int r = 0; r < n; r++) {
      vec x = all(w[r * width + j]);
#pragma GCC unroll 8
      for (int c = 0; c < m; c++) sum[c * n + r] += v[c] * x;
    }
  }
  for (int c = 0; c < m; c++)
    for (int r = 0; r < n; r++) store(out + r * wide + c * LANES, sum[c * n + r]);
}

// combine writes out[r] = Σ_j w[r][j] · b[j] over rows j in [from, to) of b [time][wide].
INLINE void combine(int n, float* out, const float* w, int64_t width, const float* b, int64_t from, int64_t to, int64_t wide) {
  const int m = SUMS / n;
  int64_t c = 0;
  for (; c + m * LANES <= wide; c += m * LANES) mixed(n, m, out + c, w, width, b + c, from, to, wide);
  for (; c + 2 * LANES <= wide; c += 2 * LANES) mixed(n, 2, out + c, w, width, b + c, from, to, wide);
  if (c < wide) {
    vec x[n], y[n];
    for (int r = 0; r < n; r++) x[r] = y[r] = (vec){};
    int64_t j = from;
    for (; j + 2 <= to; j += 2) {
      vec v0 = load(b + j * wide + c), v1 = load(b + (j + 1) * wide + c);
      for (int r = 0; r < n; r++) x[r] += v0 * w[r * width + j], y[r] += v1 * w[r * width + j + 1];
    }
    if (j < to)
      for (int r = 0; r < n; r++) x[r] += load(b + j * wide + c) * w[r * width + j];
    for (int r = 0; r < n; r++) store(out + r * wide + c, x[r] + y[r]);
  }
}
