// AdamW with clipping by the global norm, in place: one pass over the gradients for the norm, one over everything for the update.
#include "ffi.h"
#include "team.h"
#include "vector.h"

enum { chunk = 1 << 14 };  // floats; sums of a chunk are added in order, so the norm does not depend on the number of threads

// Settings, in the order of the call's last input.
typedef struct {
  float beta1, rest1, beta2, rest2, epsilon, decay, clip, rate, correct1, correct2;
} settings;

typedef struct {
  const ffi_frame* frame;
  int64_t tensors;
  settings set;
  double* sums;  // of squares, a chunk
  int64_t chunks;
} adamw;

static int64_t length(const ffi_frame* f, int64_t tensor) {
  int64_t n = 1;
  for (int64_t a = 0; a < f->args.items[tensor]->rank; a++) n *= ffi_dim(f, tensor, a);
  return n;
}

static double squares(const float* g, int64_t n) {
  vec a = {}, b = {};
  int64_t i = 0;
  for (; i + 2 * LANES <= n; i += 2 * LANES) {
    vec x = load(g + i), y = load(g + i + LANES);
    a += x * x, b += y * y;
  }
  double s = total(a + b);
  for (; i < n; i++) s += (double)g[i] * g[i];
  return s;
}

// update changes n floats: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², p ← p − lr·(m̂/(√v̂ + ε) + λp), as train.Optimizer says.
__attribute__((optimize("no-math-errno")))  // so that square roots are vectors
static void update(const settings* s, float scale, float decay, int64_t n, float* restrict p, float* restrict m, float* restrict v, const float* restrict g) {
  for (int64_t i = 0; i < n; i++) {
    float gi = g[i] * scale;
    m[i] = m[i] * s->beta1 + gi * s->rest1;
    v[i] = v[i] * s->beta2 + gi * gi * s->rest2;
    p[i] -= (m[i] / s->correct1 / (sqrtf(v[i] / s->correct2) + s->epsilon) + p[i] * decay) * s->rate;
  }
}

// EACH_CHUNK goes through this thread's chunks of the tensors: its place among all, the tensor, its first float and how many it has.
#define EACH_CHUNK(a, who, index, tensor, from, count)                                                                                 \
  for (int64_t index = 0, tensor = 0; tensor < (a)->tensors; tensor++)                                                                 \
    for (int64_t from = 0, floats = length((a)->frame, tensor), count; from < floats; from += chunk, index++)                          \
      if (count = floats - from < chunk ? floats - from : chunk, index % (who).size == (who).index)

static void work(void* argument, team_member who) {
  adamw* a = argument;
  const ffi_frame* f = a->frame;
  int64_t n = a->tensors;
  if (who.index == 0) a->sums = (double*)team_scratch(who, 0, 2 * a->chunks);
  team_barrier(who);
  EACH_CHUNK(a, who, index, t, from, count) a->sums[index] = squares(ffi_arg(f, 3 * n + t) + from, count);
  team_barrier(who);
  double sum = 0;
  for (int64_t i = 0; i < a->chunks; i++) sum += a->sums[i];
  float norm = sqrt(sum), scale = 1;
  if (who.index == 0) *ffi_ret(f, 3 * n) = norm;
  if (!isfinite(norm)) return;  // the state stays as it is
  if (a->set.clip > 0 && a->set.clip / (norm + 1e-6f) < 1) scale = a->set.clip / (norm + 1e-6f);
  EACH_CHUNK(a, who, index, t, from, count)
    update(&a->set, scale, f->args.items[t]->rank > 1 ? a->set.decay : 0, count, ffi_ret(f, t) + from, ffi_ret(f, n + t) + from,
           ffi_ret(f, 2 * n + t) + from, ffi_arg(f, 3 * n + t) + from);
}

// p…, m…, v…, g…, settings → p…, m…, v… in the memory of the inputs, norm.
void* NAME(adamw)(ffi_frame* f) {
  adamw a = {.frame = f, .tensors = (f->args.count - 1) / 4};
  memcpy(&a.set, ffi_arg(f, f->args.count - 1), sizeof a.set);
  for (int64_t t = 0; t < a.tensors; t++) a.chunks += (length(f, t) + chunk - 1) / chunk;
  team_run(work, &a);
  return NULL;
}
