// The call: arguments are the sampling inputs, what does not belong to a layer, and 20 arrays a layer (see decode.go); an array of rank 0 stands
// for one that the architecture lacks.

enum { shared_arguments = 11, layer_arguments = 20, least_seats = 2 * ROWS };

typedef struct {
  decoder* d;
  const ffi_frame* f;
} decode_job;

static const float* maybe(const ffi_frame* f, int i) { return f->args.items[i]->rank == 0 ? NULL : ffi_arg(f, i); }

// take gives 64-byte aligned parts of one allocation; with memory NULL it only counts.
typedef struct {
  float* memory;
  size_t used;
} pool;

static float* take(pool* p, int64_t floats) {
  size_t at = p->used;
  p->used += round_up(floats, 16);
  return p->memory ? p->memory + at : NULL;
}

static projection projection_of(pool* p, int64_t outputs, int64_t inputs) {
  return (projection){outputs, inputs, take(p, round_up(outputs, PANEL) * inputs), NULL};
}

// lay_out_weights places the packed weights. packedSize in extend.go counts as it does.
static void lay_out_weights(decoder* d, pool* p) {
  for (int64_t i = 0; i < d->layers; i++) {
    layer* l = d->layer + i;
    l->qkv = projection_of(p, (d->heads + 2 * d->kv) * d->dim, d->hidden);
    l->out = projection_of(p, d->hidden, d->heads * d->dim);
    l->gate = projection_of(p, d->ffn, d->hidden);
    l->up = projection_of(p, d->ffn, d->hidden);
    l->down = projection_of(p, d->hidden, d->ffn);
  }
  d->head = projection_of(p, d->vocab, d->hidden);
}

// lay_out finds the layers' arguments and places what the decoder needs beside them and the packed weights.
static void lay_out(decoder* d, const ffi_frame* f, pool* p) {
  int64_t attended = d->heads * d->dim, joined = (d->heads + 2 * d->kv) * d->dim, units = d->seats * d->kv;
  for (int64_t i = 0; i < d->layers; i++) {
    int a = shared_arguments + i * layer_arguments;
    layer* l = d->layer + i;
    l->attention_norm = ffi_arg(f, a);
    l->q_norm = maybe(f, a + 7), l->k_norm = maybe(f, a + 8);
    l->feed_norm = ffi_arg(f, a + 11);
    l->qkv.bias = maybe(f, a + 2) ? take(p, joined) : NULL;
    l->out.bias = maybe(f, a + 10), l->gate.bias = maybe(f, a + 13), l->up.bias = maybe(f, a + 15), l->down.bias = maybe(f, a + 17);
    l->prompt_k = ffi_arg(f, a + 18), l->prompt_v = ffi_arg(f, a + 19);
    l->keys = take(p, units * d->blocks * LANES * d->dim);
    int in_place = d->chunk && d->wide == d->dim && d->chunk->capacity == d->blocks * LANES;  // the cache then has attention's layout
    l->values = in_place ? l->cache_values : take(p, units * d->blocks * LANES * d->wide);
  }
  d->x = take(p, d->seats * d->hidden), d->h = take(p, d->seats * d->hidden);
  d->qkv = take(p, d->seats * joined), d->attended = take(p, d->seats * attended);
  d->inner = take(p, d->seats * d->ffn), d->logits = take(p, d->seats * d->vocab);
  d->active = (int32_t*)take(p, d->seats), d->next = (int32_t*)take(p, d->seats), d->vacant = (int32_t*)take(p, d->seats);
  d->steps = (int32_t*)take(p, d->batch), d->seat = (int32_t*)take(p, d->batch);
}

// reserve allocates the state of a generation, and with weights the packed weights too.
static float* reserve(decoder* d, const ffi_frame* f, int weights) {
  float* memory = NULL;
  for (int pass = 0; pass < 2; pass++) {
    pool p = {memory, 0};
    if (weights) lay_out_weights(d, &p);
    lay_out(d, f, &p);
    if (memory) break;
    enum { huge = 2 << 20 };
    size_t bytes = round_up(p.used * sizeof(float), huge);
    memory = aligned_alloc(huge, bytes);
    if (!memory) {
      fprintf(stderr, "temper: no memory for %zu bytes of decoding state\n", bytes);
      abort();
    }
    madvise(memory, bytes, MADV_HUGEPAGE);
  }
  return memory;
}

static layer* layers_of(const decoder* d) {
  layer* l = calloc(d->layers, sizeof(layer));
  if (!l) {
    fprintf(stderr, "temper: no memory for %lld layers\n", (long long)d->layers);
    abort();
  }
  return l;
}

// weights_of is how many floats a step reads of the weights.
static int64_t weights_of(const decoder* d) {
  return d->layers * d->hidden * (2 * (d->heads + d->kv) * d->dim + 3 * d->ffn) + d->vocab * d->hidden;
}

// cached is how many floats half of the last cache holds.
static int64_t cached(void) { return temper_cache() / 2 / (int64_t)sizeof(float); }

// seats_of is how many sequences of a generation run at a time. Every step reads their keys and values and the weights: as many as fit half of the last
// cache beside the weights. Where the weights alone fill it all of them run, for then a step's reading of the weights serves them all.
static int64_t seats_of(const decoder* d) {
  int64_t sequence = d->layers * d->kv * d->blocks * LANES * (d->dim + d->wide);
  int64_t fit = (cached() - weights_of(d)) / sequence;
  if (fit < least_seats || fit >= d->batch) return d->batch;
  int64_t turns = (d->batch + fit - 1) / fit;
  return (d->batch + turns - 1) / turns;
}

// pack_layer brings a layer's weights q, k, v, out, gate, up, down (given by their places among the arguments) into panels.
static void pack_layer(team_member who, const layer* l, const ffi_frame* f, int64_t hidden, int64_t q, int64_t k, const int places[7]) {
  pack(who, &l->qkv, ffi_arg(f, places[0]), q, 0);
  pack(who, &l->qkv, ffi_arg(f, places[1]), k, q);
  pack(who, &l->qkv, ffi_arg(f, places[2]), k, q + k);
  pack(who, &l->out, ffi_arg(f, places[3]), hidden, 0);
  pack(who, &l->gate, ffi_arg(f, places[4]), l->gate.outputs, 0);
  pack(who, &l->up, ffi_arg(f, places[5]), l->up.outputs, 0);
  pack(who, &l->down, ffi_arg(f, places[6]), hidden, 0);
}

// join_biases puts the biases of q, k and v one after the other.
static void join_biases(const layer* l, const ffi_frame* f, int64_t q, int64_t k, int a) {
  if (!l->qkv.bias) return;
  memcpy((float*)l->qkv.bias, ffi_arg(f, a + 2), q * sizeof(float));
  memcpy((float*)l->qkv.bias + q, ffi_arg(f, a + 4), k * sizeof(float));
  memcpy((float*)l->qkv.bias + q + k, ffi_arg(f, a + 6), k * sizeof(float));
}

static void decode_work(void* argument, team_member who) {
  decode_job* job = argument;
  decoder* d = job->d;
  const ffi_frame* f = job->f;
  int64_t q = d->heads * d->dim, k = d->kv * d->dim;
  pack(who, &d->head, ffi_arg(f, 2), d->vocab, 0);
  for (int64_t i = 0; i < d->layers; i++) {
    int a = shared_arguments + i * layer_arguments;
    layer* l = d->layer + i;
    pack_layer(who, l, f, d->hidden, q, k, (int[]){a + 1, a + 3, a + 5, a + 9, a + 12, a + 14, a + 16});
    if (who.index == 0) join_biases(l, f, q, k, a);
    int64_t units = d->seats * d->kv, keys = d->blocks * LANES * d->dim, values = d->blocks * LANES * d->wide;
    for (int64_t u = share(units, who.index, who.size); u < share(units, who.index + 1, who.size); u++) {
      memset(l->keys + u * keys, 0, keys * sizeof(float));
      memset(l->values + u * values, 0, values * sizeof(float));
    }
  }
  if (who.index == 0) {
    memset(d->steps, 0, d->batch * sizeof(int32_t));
    for (int64_t i = d->seats; i > 0; i--) d->vacant[d->vacancies++] = (int32_t)i - 1;
    enter(d);
  }
  team_barrier(who);
  generate(d, who);
}

// See decode.go for the arguments → tokens [batch, new] int32, log-probabilities [batch, new], steps taken [] int32.
void* NAME(decode)(ffi_frame* f) {
  union {
    int64_t bits;
    double value;
  } epsilon = {ffi_int64(f, "epsilon_bits")};
  decoder d = {.batch = ffi_dim(f, 6, 0), .prompt = ffi_dim(f, shared_arguments + 18, 1), .news = f->rets.items[0]->dims[1], .hidden = ffi_dim(f, 0, 1),
               .layers = (f->args.count - shared_arguments) / layer_arguments, .heads = ffi_int64(f, "heads"), .kv = ffi_dim(f, shared_arguments + 18, 2),
               .dim = ffi_dim(f, shared_arguments + 18, 3), .ffn = ffi_dim(f, shared_arguments + 12, 0), .vocab = ffi_dim(f, 0, 0),
               .window = ffi_int64(f, "window"), .window_from = ffi_int64(f, "window_from"), .top_k = ffi_int64(f, "top_k"), .nucleus = ffi_int64(f, "nucleus"),
               .stop_count = ffi_dim(f, 10, 0), .epsilon = (float)epsilon.value, .temperature = ffi_arg(f, 8), .top_p = ffi_arg(f, 9),
               .embedding = ffi_arg(f, 0), .norm = ffi_arg(f, 1), .cos = ffi_arg(f, 3), .sin = ffi_arg(f, 4), .first_logits = ffi_arg(f, 5),
               .padding = (const int32_t*)ffi_arg(f, 6), .noise = (const uint32_t*)ffi_arg(f, 7), .stops = (const int32_t*)ffi_arg(f, 10),
               .tokens = (int32_t*)ffi_ret(f, 0), .log_probs = ffi_ret(f, 1)};
  d.wide = round_up(d.dim, LANES);
  d.blocks = (d.prompt + d.news + LANES - 1) / LANES;
  d.seats = ffi_int64(f, "seats");
  if (d.seats == 0) d.seats = seats_of(&d);
  d.apart = weights_of(&d) < cached();
  d.layer = layers_of(&d);
  float* memory = reserve(&d, f, 1);
  decode_job job = {&d, f};
  team_run(decode_work, &job);
  *(int32_t*)ffi_ret(f, 2) = (int32_t)d.longest;
  free(memory);
  free(d.layer);
  return NULL;
}
