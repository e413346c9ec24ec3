// Causal grouped-query attention over packed rows, forward and backward, for one instruction set (LANES, NAME).
//
// Scores never leave the cache: for four queries at a time, the scores against all their keys are made, turned into weights and used. The
// backward pass makes them again from the log-sum-exp that the forward pass leaves (as FlashAttention, Dao et al. 2022, arXiv 2205.14135).
// A unit of work is one key-value head of one batch row, so nothing is summed across threads and the bits do not depend on how many there are.
#include "ffi.h"
#include "team.h"
#include "vector.h"
#include "products.h"

enum { QUERIES = 4 };

typedef struct {
  int64_t batch, time, heads, kv, dim, window;
  const float *q, *k, *v;   // [batch, time, heads or kv, dim]
  const int32_t* segments;  // [batch, time]
  float *out, *lse;         // [batch, time, heads, dim], [batch, heads, time]
  const float* dout;
  float *dq, *dk, *dv;
} attention;

// transposed packs rows [time] of dim floats, stride apart, into blocks of LANES columns: [time / LANES][dim][LANES].
static void transposed(float* to, const float* from, int64_t time, int64_t dim, int64_t stride) {
  for (int64_t t = 0; t < round_up(time, LANES); t++)
    for (int64_t d = 0; d < dim; d++) to[(t / LANES * dim + d) * LANES + t % LANES] = t < time ? from[t * stride + d] : 0;
}

// padded packs rows into [time][wide], zeros after dim.
static void padded(float* to, const float* from, int64_t time, int64_t dim, int64_t wide, int64_t stride) {
  for (int64_t t = 0; t < time; t++) {
    memcpy(to + t * wide, from + t * stride, dim * sizeof(float));
    memset(to + t * wide + dim, 0, (wide - dim) * sizeof(float));
  }
}

// spread adds w[r][j] · a[r] to rows j in [from, to) of out [time][wide], for each of the queries.
static void spread(float* out, const float* w, int64_t width, const float* const a[QUERIES], int64_t from, int64_t to, int64_t wide) {
  int64_t c = 0;
  for (; c + 2 * LANES <= wide; c += 2 * LANES) {
    vec a0[QUERIES], a1[QUERIES];
    for (int r = 0; r < QUERIES; r++) a0[r] = load(a[r] + c), a1[r] = load(a[r] + c + LANES);
    for (int64_t j = from; j < to; j++) {
      vec x = load(out + j * wide + c), y = load(out + j * wide + c + LANES);
      for (int r = 0; r < QUERIES; r++) x += a0[r] * w[r * width + j], y += a1[r] * w[r * width + j];
      store(out + j * wide + c, x), store(out + j * wide + c + LANES, y);
    }
  }
  if (c < wide) {
    vec a0[QUERIES];
    for (int r = 0; r < QUERIES; r++) a0[r] = load(a[r] + c);
    for (int64_t j = from; j < to; j++) {
      vec x = load(out + j * wide + c);
      for (int r = 0; r < QUERIES; r++) x += a0[r] * w[r * width + j];
      store(out + j * wide + c, x);
    }
  }
}

// firsts gives for each query the first key it attends to: that of its segment, or of its window.
static void firsts(const attention* p, int64_t row, int32_t* first) {
  const int32_t* s = p->segments + row * p->time;
  int64_t start = 0;
  for (int64_t i = 0; i < p->time; i++) {
    if (i && s[i] != s[i - 1]) start = i;
    first[i] = p->window > 0 && i - p->window + 1 > start ? i - p->window + 1 : start;
  }
}

// A tile is QUERIES queries from i on (the last of a row are repeated, and not written) and the blocks of keys they may attend to.
typedef struct {
  int64_t i, rows, from, to;  // from and to count blocks of LANES keys
} tile;

static tile tile_at(const attention* p, const int32_t* first, int64_t i) {
  tile t = {i, p->time - i < QUERIES ? p->time - i : QUERIES, first[i] / LANES, 0};
  t.to = (i + t.rows - 1) / LANES + 1;
  return t;
}

// outside sets what query r may not attend to.
static void outside(float* row, const tile* t, int64_t first, int64_t last, float value) {
  for (int64_t j = t->from * LANES; j < first; j++) row[j] = value;
  for (int64_t j = last + 1; j < t->to * LANES; j++) row[j] = value;
}

static void forward_unit(const attention* p, team_member who, int64_t unit) {
  int64_t b = unit / p->kv, g = unit % p->kv, group = p->heads / p->kv;
  int64_t wide = round_up(p->dim, LANES), width = round_up(p->time, LANES), stride = p->heads * p->dim;
  float* keys = team_scratch(who, 0, width * p->dim);
  float* values = team_scratch(who, 1, width * wide);
  float* scores = team_scratch(who, 2, QUERIES * width);
  float* out = team_scratch(who, 3, QUERIES * wide);
  int32_t* first = (int32_t*)team_scratch(who, 4, p->time);
  int64_t source = (b * p->time * p->kv + g) * p->dim;
  transposed(keys, p->k + source, p->time, p->dim, p->kv * p->dim);
  padded(values, p->v + source, p->time, p->dim, wide, p->kv * p->dim);
  firsts(p, b, first);
  float scale = 1 / sqrtf((float)p->dim);
  for (int64_t h = g * group; h < (g + 1) * group; h++) {
    const float* q = p->q + (b * p->time * p->heads + h) * p->dim;
    for (int64_t i = 0; i < p->time; i += QUERIES) {
      tile t = tile_at(p, first, i);
      const float* a[QUERIES];
      for (int r = 0; r < QUERIES; r++) a[r] = q + (i + (r < t.rows ? r : 0)) * stride;
      products(QUERIES, scores, width, a, keys, t.from, t.to, p->dim, scale);
      float inverse[QUERIES];
      for (int r = 0; r < QUERIES; r++) {
        float* s = scores + r * width;
        int64_t query = i + (r < t.rows ? r : 0);
        outside(s, &t, first[query], query, -INFINITY);
        vec top = all(-INFINITY), sum = {};
        for (int64_t j = t.from * LANES; j < t.to * LANES; j += LANES) top = vmax(top, load(s + j));
        float m = largest(top);
        for (int64_t j = t.from * LANES; j < t.to * LANES; j += LANES) {
          vec e = expv(load(s + j) - m);
          store(s + j, e);
          sum += e;
        }
        float z = total(sum);
        inverse[r] = 1 / z;
        if (r < t.rows) p->lse[(b * p->heads + h) * p->time + query] = m + logf(z);
      }
      int64_t end = t.to * LANES < p->time ? t.to * LANES : p->time;
      combine(QUERIES, out, scores, width, values, t.from * LANES, end, wide);
      for (int r = 0; r < t.rows; r++) {
        float* to = p->out + ((b * p->time + i + r) * p->heads + h) * p->dim;
        for (int64_t d = 0; d < p->dim; d++) to[d] = out[r * wide + d] * inverse[r];
      }
    }
  }
}

static void backward_unit(const attention* p, team_member who, int64_t unit) {
  int64_t b = unit / p->kv, g = unit % p->kv, group = p->heads / p->kv, dim = p->dim;
  int64_t wide = round_up(dim, LANES), width = round_up(p->time, LANES), stride = p->heads * dim;
  float* packed = team_scratch(who, 0, 2 * width * dim);  // keys and values, transposed
  float* rows = team_scratch(who, 1, 3 * width * wide);   // keys, and the gradients of keys and values
  float* work = team_scratch(who, 2, 2 * QUERIES * width);
  float* small = team_scratch(who, 3, 3 * QUERIES * wide);
  int32_t* first = (int32_t*)team_scratch(who, 4, p->time);
  float *keys = packed, *values = packed + width * dim;
  float *key_rows = rows, *dk = rows + width * wide, *dv = dk + width * wide;
  float *weights = work, *ds = work + QUERIES * width;
  float *dq = small, *queries = small + QUERIES * wide, *dout = queries + QUERIES * wide;
  int64_t source = (b * p->time * p->kv + g) * dim;
  transposed(keys, p->k + source, p->time, dim, p->kv * dim);
  transposed(values, p->v + source, p->time, dim, p->kv * dim);
  padded(key_rows, p->k + source, p->time, dim, wide, p->kv * dim);
  memset(dk, 0, 2 * width * wide * sizeof(float));
  firsts(p, b, first);
  float scale = 1 / sqrtf((float)dim);
  for (int64_t h = g * group; h < (g + 1) * group; h++) {
    int64_t head = (b * p->time * p->heads + h) * dim;
    for (int64_t i = 0; i < p->time; i += QUERIES) {
      tile t = tile_at(p, first, i);
      memset(queries, 0, 2 * QUERIES * wide * sizeof(float));
      const float *a[QUERIES], *o[QUERIES];
      for (int r = 0; r < QUERIES; r++) {
        a[r] = queries + r * wide, o[r] = dout + r * wide;
        if (r >= t.rows) continue;  // its weights are zero
        memcpy(queries + r * wide, p->q + head + (i + r) * stride, dim * sizeof(float));
        memcpy(dout + r * wide, p->dout + head + (i + r) * stride, dim * sizeof(float));
      }
      products(QUERIES, weights, width, a, keys, t.from, t.to, dim, scale);
      products(QUERIES, ds, width, o, values, t.from, t.to, dim, 1);
      for (int r = 0; r < QUERIES; r++) {
        float *w = weights + r * width, *s = ds + r * width;
        int64_t query = i + r;
        if (r >= t.rows) {
          for (int64_t j = t.from * LANES; j < t.to * LANES; j++) w[j] = s[j] = 0;
          continue;
        }
        outside(w, &t, first[query], query, -INFINITY);
        const float* out = p->out + head + query * stride;
        float lse = p->lse[(b * p->heads + h) * p->time + query], d = 0;
        for (int64_t c = 0; c < dim; c++) d += o[r][c] * out[c];
        for (int64_t j = t.from * LANES; j < t.to * LANES; j += LANES) {
          vec e = expv(load(w + j) - lse);
          store(w + j, e);
          store(s + j, e * (load(s + j) - d) * scale);
        }
      }
      int64_t begin = t.from * LANES, end = t.to * LANES < p->time ? t.to * LANES : p->time;
      combine(QUERIES, dq, ds, width, key_rows, begin, end, wide);
      for (int r = 0; r < t.rows; r++) memcpy(p->dq + head + (i + r) * stride, dq + r * wide, dim * sizeof(float));
      spread(dk, ds, width, a, begin, end, wide);
      spread(dv, weights, width, o, begin, end, wide);
    }
  }
  for (int64_t t = 0; t < p->time; t++) {
    memcpy(p->dk + source + t * p->kv * dim, dk + t * wide, dim * sizeof(float));
    memcpy(p->dv + source + t * p->kv * dim, dv + t * wide, dim * sizeof(float));
  }
}

static void forward_work(void* argument, team_member who) {
  const attention* p = argument;
  for (int64_t u; (u = team_next()) < p->batch * p->kv;) forward_unit(p, who, u);
}

static void backward_work(void* argument, team_member who) {
  const attention* p = argument;
  for (int64_t u; (u = team_next()) < p->batch * p->kv;) backward_unit(p, who, u);
}

static attention attention_of(const ffi_frame* f) {
  return (attention){.batch = ffi_dim(f, 0, 0), .time = ffi_dim(f, 0, 1), .heads = ffi_dim(f, 0, 2), .dim = ffi_dim(f, 0, 3), .kv = ffi_dim(f, 1, 2),
                     .window = ffi_int64(f, "window"), .q = ffi_arg(f, 0), .k = ffi_arg(f, 1), .v = ffi_arg(f, 2),
                     .segments = (const int32_t*)ffi_arg(f, 3)};
}

// q, k, v, segments → out, lse.
void* NAME(attention_forward)(ffi_frame* f) {
  attention p = attention_of(f);
  p.out = ffi_ret(f, 0), p.lse = ffi_ret(f, 1);
  team_run(forward_work, &p);
  return NULL;
}

// q, k, v, segments, out, lse, dout → dq, dk, dv.
void* NAME(attention_backward)(ffi_frame* f) {
  attention p = attention_of(f);
  p.out = ffi_arg(f, 4), p.lse = ffi_arg(f, 5), p.dout = ffi_arg(f, 6);
  p.dq = ffi_ret(f, 0), p.dk = ffi_ret(f, 1), p.dv = ffi_ret(f, 2);
  team_run(backward_work, &p);
  return NULL;
}
