// Decoding with a key-value cache, for one instruction set (LANES, NAME): all steps of a generation, from the keys, values and logits that the
// prompts left to the sampled tokens and their log-probabilities; or a chunk of steps, which also leaves what the next chunk needs.
//
// Weights are packed once a generation (for chunks: once a model) into panels that a few rows of activations are multiplied with; keys are kept
// transposed in blocks. The threads share the sequences, or each product by its columns and meet at a barrier after it. As many sequences run at a time
// as the processor's cache holds; one that has stopped leaves at once, and one that waits takes its seat. Every value is summed in the same order
// whatever the batch and the number of threads, so a sequence's bits do not depend on the others.
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "ffi.h"
#include "register.h"
#include "team.h"
#include "vector.h"
#include "products.h"

enum { PANEL = 2 * LANES, ROWS = 6 };

// A projection x·Wᵀ + b, with W packed: [outputs / PANEL][inputs][PANEL].
typedef struct {
  int64_t outputs, inputs;
  float* packed;
  const float* bias;
} projection;

typedef struct {
  const float *attention_norm, *q_norm, *k_norm, *feed_norm;
  projection qkv, out, gate, up, down;
  const float *prompt_k, *prompt_v;  // [batch, prompt, kv, dim]
  float *keys, *values;              // [seats, kv][blocks][dim][LANES], [seats, kv][blocks · LANES][wide]
  float *cache_keys, *cache_values;  // of a chunk: [batch, kv, capacity, dim]
} layer;

// What a chunk has beside a whole generation: sequences that are at different places, and alternatives to each token. The first three are [batch].
typedef struct {
  const int32_t *position;   // tokens in the cache
  const int32_t *drawn;      // tokens drawn in earlier chunks
  const int32_t *remaining;  // tokens still to draw; 0: the row is empty
  int64_t capacity, top;
  int32_t* top_ids;      // [batch, new, top]
  float* top_log_probs;  // [batch, new, top]
} chunk;

typedef struct {
  int64_t batch, prompt, news, hidden, layers, heads, kv, dim, ffn, vocab, window, window_from, top_k, nucleus, stop_count;
  float epsilon;
  int64_t blocks, wide;
  layer* layer;
  const float *embedding, *norm, *cos, *sin, *first_logits;
  projection head;
  const float *temperature, *top_p;
  int64_t each;            // temperature and top_p: 0 of all sequences, 1 of each
  const chunk* chunk;      // NULL: a whole generation
  const int32_t *padding;  // NULL in a chunk: none
  const int32_t* stops;
  const uint32_t* noise;
  int32_t* tokens;
  float* log_probs;
  int32_t* steps;  // [batch]: tokens drawn so far in this call
  int64_t longest;  // of any sequence
  int apart;        // the weights fit the cache beside much else
  // The running batch: row m of the activations is sequence active[m], which has drawn next[m]; rows from fresh on have just come. A sequence's keys and values
  // are at its seat; in a chunk that is its place in the batch. Sequences from waiting on have none yet.
  int64_t seats, rows, fresh, waiting, vacancies;
  int32_t *active, *next, *seat, *vacant;
  float *x, *h, *qkv, *attended, *inner, *logits;
} decoder;

static int64_t share(int64_t n, int index, int size) { return n * index / size; }

// panel_rows writes n × PANEL products: out[r][c] = Σ_k x[r][k]·w[k][c]. Meanwhile it asks for what lies from next on, ahead floats a step.
INLINE void panel_rows(int n, const float* x, int64_t stride, const float* w, int64_t inputs, float* out, const float* next, int64_t ahead) {
  vec a[ROWS], b[ROWS];
  for (int r = 0; r < n; r++) a[r] = b[r] = (vec){};
  for (int64_t k = 0; k < inputs; k++) {
    if (next) __builtin_prefetch(next + k * ahead, 0, 2);
    vec w0 = load(w + k * PANEL), w1 = load(w + k * PANEL + LANES);
    for (int r = 0; r < n; r++) a[r] += w0 * x[r * stride + k], b[r] += w1 * x[r * stride + k];
  }
  for (int r = 0; r < n; r++) store(out + r * PANEL, a[r]), store(out + r * PANEL + LANES, b[r]);
}

// panel is panel_rows for any number of rows, at most ROWS at a time and about as many each time. Where that takes several turns, each brings a part
// of the next panel near.
static void panel(int64_t rows, const float* x, int64_t stride, const float* w, int64_t inputs, float* out) {
  switch (rows) {
    case 0: return;
    case 1: return panel_rows(1, x, stride, w, inputs, out, NULL, 0);
    case 2: return panel_rows(2, x, stride, w, inputs, out, NULL, 0);
    case 3: return panel_rows(3, x, stride, w, inputs, out, NULL, 0);
    case 4: return panel_rows(4, x, stride, w, inputs, out, NULL, 0);
    case 5: return panel_rows(5, x, stride, w, inputs, out, NULL, 0);
    case 6: return panel_rows(6, x, stride, w, inputs, out, NULL, 0);
  }
  int64_t turns = (rows + ROWS - 1) / ROWS, ahead = PANEL / turns;
  for (int64_t i = 0; i < turns; i++) {
    int64_t from = rows * i / turns;
    const float *in = x + from * stride, *next = w + (inputs + i * inputs / turns) * PANEL;
    float* to = out + from * PANEL;
    switch (rows * (i + 1) / turns - from) {
      case 3: panel_rows(3, in, stride, w, inputs, to, next, ahead); break;
      case 4: panel_rows(4, in, stride, w, inputs, to, next, ahead); break;
      case 5: panel_rows(5, in, stride, w, inputs, to, next, ahead); break;
      case 6: panel_rows(6, in, stride, w, inputs, to, next, ahead); break;
    }
  }
}

static int64_t panels(const projection* p) { return (p->outputs + PANEL - 1) / PANEL; }

// project computes y = x·Wᵀ + b, or y += with add, for this thread's share of the columns.
static void project(team_member who, const projection* p, int64_t rows, const float* x, float* y, int add) {
  float* tile = team_scratch(who, 5, rows * PANEL);
  for (int64_t i = share(panels(p), who.index, who.size); i < share(panels(p), who.index + 1, who.size); i++) {
    panel(rows, x, p->inputs, p->packed + i * p->inputs * PANEL, p->inputs, tile);
    int64_t from = i * PANEL, n = p->outputs - from < PANEL ? p->outputs - from : PANEL;
    for (int64_t r = 0; r < rows; r++) {
      float* to = y + r * p->outputs + from;
      for (int64_t c = 0; c < n; c++) {
        float v = tile[r * PANEL + c] + (p->bias ? p->bias[from + c] : 0);
        to[c] = add ? to[c] + v : v;
      }
    }
  }
}

// feed computes silu(gate)·up for this thread's share of the columns.
static void feed(team_member who, const layer* l, int64_t rows, const float* x, float* y) {
  float* tile = team_scratch(who, 5, 2 * rows * PANEL);
  float* up = tile + rows * PANEL;
  const projection* p = &l->gate;
  for (int64_t i = share(panels(p), who.index, who.size); i < share(panels(p), who.index + 1, who.size); i++) {
    panel(rows, x, p->inputs, p->packed + i * p->inputs * PANEL, p->inputs, tile);
    panel(rows, x, p->inputs, l->up.packed + i * p->inputs * PANEL, p->inputs, up);
    int64_t from = i * PANEL, n = p->outputs - from < PANEL ? p->outputs - from : PANEL;
    for (int64_t r = 0; r < rows; r++) {
      float *g = tile + r * PANEL, *u = up + r * PANEL;
      if (p->bias)
        for (int64_t c = 0; c < n; c++) g[c] += p->bias[from + c], u[c] += l->up.bias[from + c];
      for (int64_t c = 0; c < PANEL; c += LANES) {
        vec v = load(g + c);
        store(g + c, v * sigmoidv(v) * load(u + c));
      }
      memcpy(y + r * p->outputs + from, g, n * sizeof(float));
    }
  }
}

static void rms_norm(float* to, const float* x, const float* weight, int64_t n, float epsilon) {
  vec squares = {};
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES) squares += load(x + i) * load(x + i);
  float sum = total(squares);
  for (; i < n; i++) sum += x[i] * x[i];
  float scale = 1 / sqrtf(sum / n + epsilon);
  for (i = 0; i < n; i++) to[i] = x[i] * scale * weight[i];
}

// normed gives the normalised rows. Of a few rows every thread computes all for itself, which costs less than a barrier.
static const float* normed(team_member who, const decoder* d, const float* weight) {
  int few = d->rows <= 4;
  float* h = few ? team_scratch(who, 7, d->rows * d->hidden) : d->h;
  int64_t from = few ? 0 : share(d->rows, who.index, who.size), to = few ? d->rows : share(d->rows, who.index + 1, who.size);
  for (int64_t m = from; m < to; m++) rms_norm(h + m * d->hidden, d->x + m * d->hidden, weight, d->hidden, d->epsilon);
  if (!few) team_barrier(who);
  return h;
}

static void rotate(float* x, const float* cos, const float* sin, int64_t half) {
  for (int64_t i = 0; i < half; i++) {
    float a = x[i], b = x[i + half];
    x[i] = a * cos[i] - b * sin[i];
    x[i + half] = b * cos[i] + a * sin[i];
  }
}

// place puts a key and a value among those that attention reads, for a unit (seat · kv + head) at a slot.
static void place(const decoder* d, const layer* l, int64_t unit, int64_t slot, const float* k, const float* v) {
  float* key = l->keys + (unit * d->blocks + slot / LANES) * d->dim * LANES + slot % LANES;
  for (int64_t i = 0; i < d->dim; i++) key[i * LANES] = k[i];
  float* value = l->values + (unit * d->blocks * LANES + slot) * d->wide;
  if (value != v) memcpy(value, v, d->dim * sizeof(float));
}

// remember is place for a key and a value that are new.
static void remember(const decoder* d, const layer* l, int64_t unit, int64_t slot, const float* k, const float* v) {
  place(d, l, unit, slot, k, v);
  if (!d->chunk) return;
  int64_t at = (unit * d->chunk->capacity + slot) * d->dim;
  memcpy(l->cache_keys + at, k, d->dim * sizeof(float));
  if (l->values != l->cache_values) memcpy(l->cache_values + at, v, d->dim * sizeof(float));
}

// slot_of is where the token that is fed now belongs.
static int64_t slot_of(const decoder* d, int64_t sequence) { return (d->chunk ? d->chunk->position[sequence] : d->prompt) + d->steps[sequence]; }

// heads_attend is the attention of n query heads that share a key-value head; q and out are n rows of dim.
INLINE void heads_attend(int n, team_member who, const decoder* d, const layer* l, int64_t unit, int64_t from, int64_t slot, const float* q, float* out) {
  int64_t width = d->blocks * LANES, first = from / LANES, last = slot / LANES + 1;
  float* scores = team_scratch(who, 2, n * width);
  float* sums = team_scratch(who, 3, n * d->wide);
  const float* a[n];
  float inverse[n];
  for (int r = 0; r < n; r++) a[r] = q + r * d->dim;
  products(n, scores, width, a, l->keys + unit * d->blocks * d->dim * LANES, first, last, d->dim, 1 / sqrtf((float)d->dim));
  for (int r = 0; r < n; r++) {
    float* s = scores + r * width;
    for (int64_t j = first * LANES; j < from; j++) s[j] = -INFINITY;
    for (int64_t j = slot + 1; j < last * LANES; j++) s[j] = -INFINITY;
    vec top = all(-INFINITY), sum = {};
    for (int64_t j = first * LANES; j < last * LANES; j += LANES) top = vmax(top, load(s + j));
    float m = largest(top);
    for (int64_t j = first * LANES; j < last * LANES; j += LANES) {
      vec e = expv(load(s + j) - m);
      store(s + j, e);
      sum += e;
    }
    inverse[r] = 1 / total(sum);
  }
  combine(n, sums, scores, width, l->values + unit * d->blocks * LANES * d->wide, from, slot + 1, d->wide);
  for (int r = 0; r < n; r++)
    for (int64_t i = 0; i < d->dim; i++) out[r * d->dim + i] = sums[r * d->wide + i] * inverse[r];
}

// attend_unit normalises, rotates and stores what row m projected for key-value head g, and attends.
static void attend_unit(team_member who, decoder* d, const layer* l, int64_t index, int64_t m, int64_t g) {
  int64_t group = d->heads / d->kv, dim = d->dim, sequence = d->active[m], slot = slot_of(d, sequence), unit = d->seat[sequence] * d->kv + g;
  int64_t padding = d->padding ? d->padding[sequence] : 0, position = slot - padding, from = padding;
  if (d->window > 0 && index >= d->window_from && slot - d->window + 1 > from) from = slot - d->window + 1;
  float* row = d->qkv + m * (d->heads + 2 * d->kv) * dim;
  float *q = row + g * group * dim, *k = row + (d->heads + g) * dim, *v = row + (d->heads + d->kv + g) * dim;
  const float *cos = d->cos + position * dim / 2, *sin = d->sin + position * dim / 2;
  for (int64_t h = 0; h < group; h++) {
    if (l->q_norm) rms_norm(q + h * dim, q + h * dim, l->q_norm, dim, d->epsilon);
    rotate(q + h * dim, cos, sin, dim / 2);
  }
  if (l->k_norm) rms_norm(k, k, l->k_norm, dim, d->epsilon);
  rotate(k, cos, sin, dim / 2);
  remember(d, l, unit, slot, k, v);
  float* out = d->attended + (m * d->heads + g * group) * dim;
  int64_t h = 0;
  for (; h + 4 <= group; h += 4) heads_attend(4, who, d, l, unit, from, slot, q + h * dim, out + h * dim);
  for (; h + 2 <= group; h += 2) heads_attend(2, who, d, l, unit, from, slot, q + h * dim, out + h * dim);
  for (; h < group; h++) heads_attend(1, who, d, l, unit, from, slot, q + h * dim, out + h * dim);
}

// layers_forward feeds the active sequences' tokens through the layers and leaves the next logits.
static void layers_forward(team_member who, decoder* d) {
  for (int64_t m = share(d->rows, who.index, who.size); m < share(d->rows, who.index + 1, who.size); m++)
    memcpy(d->x + m * d->hidden, d->embedding + d->next[m] * d->hidden, d->hidden * sizeof(float));
  team_barrier(who);
  for (int64_t i = 0; i < d->layers; i++) {
    layer* l = d->layer + i;
    project(who, &l->qkv, d->rows, normed(who, d, l->attention_norm), d->qkv, 0);
    team_barrier(who);
    int64_t units = d->rows * d->kv;
    for (int64_t u = share(units, who.index, who.size); u < share(units, who.index + 1, who.size); u++) attend_unit(who, d, l, i, u / d->kv, u % d->kv);
    team_barrier(who);
    project(who, &l->out, d->rows, d->attended, d->x, 1);
    team_barrier(who);
    feed(who, l, d->rows, normed(who, d, l->feed_norm), d->inner);
    team_barrier(who);
    project(who, &l->down, d->rows, d->inner, d->x, 1);
    team_barrier(who);
  }
  project(who, &d->head, d->rows, normed(who, d, d->norm), d->logits, 0);
  team_barrier(who);
}

// forward is layers_forward. Where the weights stay in the cache and there are rows enough, each thread takes its rows through all layers alone;
// else they share each product, so that each weight is read once.
static void forward(team_member who, decoder* d) {
  if (!d->apart || d->rows < ROWS * who.size) {
    layers_forward(who, d);
    return;
  }
  int64_t from = share(d->rows, who.index, who.size);
  decoder own = *d;
  own.rows = share(d->rows, who.index + 1, who.size) - from;
  own.active += from, own.next += from;
  own.x += from * d->hidden, own.h += from * d->hidden, own.qkv += from * (d->heads + 2 * d->kv) * d->dim;
  own.attended += from * d->heads * d->dim, own.inner += from * d->ffn, own.logits += from * d->vocab;
  layers_forward(team_alone(who), &own);
  team_barrier(who);
}

// pack brings W [outputs, inputs] into panels, from row offset at on; threads share the panels.
static void pack(team_member who, const projection* p, const float* w, int64_t rows, int64_t at) {
  for (int64_t i = share(panels(p), who.index, who.size); i < share(panels(p), who.index + 1, who.size); i++)
    for (int64_t c = 0; c < PANEL; c++) {
      int64_t row = i * PANEL + c - at;
      float* to = p->packed + i * p->inputs * PANEL + c;
      if (i * PANEL + c >= p->outputs)
        for (int64_t k = 0; k < p->inputs; k++) to[k * PANEL] = 0;
      if (row < 0 || row >= rows) continue;
      for (int64_t k = 0; k < p->inputs; k++) to[k * PANEL] = w[row * p->inputs + k];
    }
}

#include "sample.h"

// enter gives the vacant seats to sequences that wait.
static void enter(decoder* d) {
  d->fresh = d->rows;
  while (d->vacancies > 0 && d->waiting < d->batch) {
    d->active[d->rows++] = (int32_t)d->waiting;
    d->seat[d->waiting++] = d->vacant[--d->vacancies];
  }
}

// settle brings the prompts of the sequences that have just come into the cache; a barrier comes before anything reads it.
static void settle(team_member who, const decoder* d) {
  int64_t units = (d->rows - d->fresh) * d->kv;
  for (int64_t u = share(units, who.index, who.size); u < share(units, who.index + 1, who.size); u++) {
    int64_t sequence = d->active[d->fresh + u / d->kv], g = u % d->kv;
    for (int64_t i = 0; i < d->layers; i++)
      for (int64_t t = 0; t < d->prompt; t++) {
        int64_t at = ((sequence * d->prompt + t) * d->kv + g) * d->dim;
        place(d, d->layer + i, d->seat[sequence] * d->kv + g, t, d->layer[i].prompt_k + at, d->layer[i].prompt_v + at);
      }
  }
}

// generate runs all steps. A chunk's last token is fed too, for the chunk after it.
static void generate(decoder* d, team_member who) {
  for (;;) {
    settle(who, d);
    for (int64_t m = share(d->rows, who.index, who.size); m < share(d->rows, who.index + 1, who.size); m++) {
      int64_t sequence = d->active[m];
      d->next[m] = draw(who, d, sequence, d->steps[sequence] ? d->logits + m * d->vocab : d->first_logits + sequence * d->vocab);
    }
    team_barrier(who);
    if (who.index == 0) leave(d);
    team_barrier(who);
    if (d->rows == 0 && d->waiting == d->batch) return;
    forward(who, d);
    if (who.index == 0) {
      for (int64_t m = 0; m < d->rows; m++) d->steps[d->active[m]]++;
      enter(d);
    }
    team_barrier(who);
    if (d->chunk && d->steps[d->active[0]] == d->news) return;
  }
}

#include "decode_call.h"
#include "extend_call.h"
