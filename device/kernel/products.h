// Products of a few rows with packed matrices, whose inner loops stay in registers. n, the number of rows, is a constant where it is called.
// Each value is summed in an order of its own, so it does not depend on which other rows are there.
#define INLINE static inline __attribute__((always_inline))

// products writes out[r][j] = scale · a[r]·b[j] for columns j of blocks [from, to) of b [time / LANES][dim][LANES]; out has rows of width floats.
INLINE void products(int n, float* out, int64_t width, const float* const* a, const float* b, int64_t from, int64_t to, int64_t dim, float scale) {
  int64_t j = from;
  for (; j + 2 <= to; j += 2) {
    vec x[n], y[n];
    for (int r = 0; r < n; r++) x[r] = y[r] = (vec){};
    const float *b0 = b + j * dim * LANES, *b1 = b0 + dim * LANES;
    for (int64_t d = 0; d < dim; d++) {
      vec v0 = load(b0 + d * LANES), v1 = load(b1 + d * LANES);
      for (int r = 0; r < n; r++) x[r] += v0 * a[r][d], y[r] += v1 * a[r][d];
    }
    for (int r = 0; r < n; r++) store(out + r * width + j * LANES, x[r] * scale), store(out + r * width + (j + 1) * LANES, y[r] * scale);
  }
  if (j < to) {
    vec x[n];
    for (int r = 0; r < n; r++) x[r] = (vec){};
    const float* b0 = b + j * dim * LANES;
    for (int64_t d = 0; d < dim; d++) {
      vec v0 = load(b0 + d * LANES);
      for (int r = 0; r < n; r++) x[r] += v0 * a[r][d];
    }
    for (int r = 0; r < n; r++) store(out + r * width + j * LANES, x[r] * scale);
  }
}

// combine writes out[r] = Σ_j w[r][j] · b[j] over rows j in [from, to) of b [time][wide].
INLINE void combine(int n, float* out, const float* w, int64_t width, const float* b, int64_t from, int64_t to, int64_t wide) {
  int64_t c = 0;
  for (; c + 2 * LANES <= wide; c += 2 * LANES) {
    vec x[n], y[n];
    for (int r = 0; r < n; r++) x[r] = y[r] = (vec){};
    for (int64_t j = from; j < to; j++) {
      vec v0 = load(b + j * wide + c), v1 = load(b + j * wide + c + LANES);
      for (int r = 0; r < n; r++) x[r] += v0 * w[r * width + j], y[r] += v1 * w[r * width + j];
    }
    for (int r = 0; r < n; r++) store(out + r * wide + c, x[r]), store(out + r * wide + c + LANES, y[r]);
  }
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
