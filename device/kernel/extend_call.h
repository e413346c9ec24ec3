// Two calls for generations in chunks: pack brings a model's weights into panels once, extend runs one chunk of steps on the key-value cache.
//
// The cache is [batch, kv, capacity, dim] for each layer, as other graph operations want it; XLA gives extend the same memory for argument and
// result. Keys are transposed at the start of each chunk, which costs about as much as one step's attention.

// What follows the layers among extend's arguments.
enum { after_drawn, after_remaining, after_packed, after_arguments };

enum { pack_arguments = 7 };

static void pack_work(void* argument, team_member who) {
  decode_job* job = argument;
  decoder* d = job->d;
  pack(who, &d->head, ffi_arg(job->f, 0), d->vocab, 0);
  for (int64_t i = 0; i < d->layers; i++) {
    int a = 1 + i * pack_arguments;
    pack_layer(who, d->layer + i, job->f, d->hidden, d->heads * d->dim, d->kv * d->dim, (int[]){a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6});
  }
}

// head [vocab, hidden], then q, k, v, out, gate, up and down of each layer → all of them in panels, one after the other.
void* NAME(pack)(ffi_frame* f) {
  int64_t dim = ffi_int64(f, "head");
  decoder d = {.layers = (f->args.count - 1) / pack_arguments, .hidden = ffi_dim(f, 0, 1), .vocab = ffi_dim(f, 0, 0), .dim = dim,
               .heads = ffi_dim(f, 1, 0) / dim, .kv = ffi_dim(f, 2, 0) / dim, .ffn = ffi_dim(f, 5, 0)};
  d.layer = layers_of(&d);
  pool p = {ffi_ret(f, 0), 0};
  lay_out_weights(&d, &p);
  decode_job job = {&d, f};
  team_run(pack_work, &job);
  free(d.layer);
  return NULL;
}

static void extend_work(void* argument, team_member who) {
  decode_job* job = argument;
  decoder* d = job->d;
  const chunk* c = d->chunk;
  int64_t units = d->batch * d->kv;
  for (int64_t i = 0; i < d->layers; i++) {
    layer* l = d->layer + i;
    if (who.index == 0) join_biases(l, job->f, d->heads * d->dim, d->kv * d->dim, shared_arguments + i * layer_arguments);
    for (int64_t u = share(units, who.index, who.size); u < share(units, who.index + 1, who.size); u++) {
      int64_t b = u / d->kv;
      if (c->remaining[b] <= 0) continue;
      for (int64_t t = 0; t < c->position[b]; t++) {
        int64_t at = (u * c->capacity + t) * d->dim;
        place(d, l, u, t, l->cache_keys + at, l->cache_values + at);
      }
    }
  }
  if (who.index == 0) {
    for (int64_t b = 0; b < d->batch; b++) {
      d->steps[b] = 0, d->seat[b] = (int32_t)b;
      if (c->remaining[b] > 0) d->active[d->rows++] = (int32_t)b;
      for (int64_t t = 0; t < d->news; t++) {
        d->tokens[b * d->news + t] = -1, d->log_probs[b * d->news + t] = 0;
        for (int64_t k = 0; k < c->top; k++) c->top_ids[(b * d->news + t) * c->top + k] = -1, c->top_log_probs[(b * d->news + t) * c->top + k] = 0;
      }
    }
    d->fresh = d->rows, d->waiting = d->batch;
  }
  team_barrier(who);
  generate(d, who);
}

// carried gives a result that takes over an argument's contents: usually its memory.
static float* carried(const ffi_frame* f, int argument, int result) {
  float *from = ffi_arg(f, argument), *to = ffi_ret(f, result);
  size_t bytes = sizeof(float);
  for (int64_t i = 0; i < f->rets.items[result]->rank; i++) bytes *= f->rets.items[result]->dims[i];
  if (from != to) memcpy(to, from, bytes);
  return to;
}

// See extend.go for the arguments → tokens [batch, new] int32, log-probabilities [batch, new], with alternatives their ids and log-probabilities
// [batch, new, top], the next logits [batch, vocab], and each layer's keys and values.
void* NAME(extend)(ffi_frame* f) {
  union {
    int64_t bits;
    double value;
  } epsilon = {ffi_int64(f, "epsilon_bits")};
  int last = (int)f->args.count - after_arguments, top = ffi_int64(f, "top") > 0 ? 2 : 0;
  chunk c = {.position = (const int32_t*)ffi_arg(f, 6), .drawn = (const int32_t*)ffi_arg(f, last + after_drawn),
             .remaining = (const int32_t*)ffi_arg(f, last + after_remaining), .capacity = ffi_dim(f, shared_arguments + 18, 2), .top = ffi_int64(f, "top")};
  if (c.top) c.top_ids = (int32_t*)ffi_ret(f, 2), c.top_log_probs = ffi_ret(f, 3);
  float* logits = carried(f, 5, 2 + top);
  decoder d = {.batch = ffi_dim(f, 6, 0), .news = f->rets.items[0]->dims[1], .hidden = ffi_dim(f, 0, 1),
               .layers = (last - shared_arguments) / layer_arguments, .heads = ffi_int64(f, "heads"), .kv = ffi_dim(f, shared_arguments + 18, 1),
               .dim = ffi_dim(f, shared_arguments + 18, 3), .ffn = ffi_dim(f, shared_arguments + 12, 0), .vocab = ffi_dim(f, 0, 0),
               .window = ffi_int64(f, "window"), .window_from = ffi_int64(f, "window_from"), .nucleus = ffi_int64(f, "nucleus"),
               .stop_count = ffi_dim(f, 10, 0), .epsilon = (float)epsilon.value, .temperature = ffi_arg(f, 8), .top_p = ffi_arg(f, 9), .each = 1,
               .chunk = &c, .embedding = ffi_arg(f, 0), .norm = ffi_arg(f, 1), .cos = ffi_arg(f, 3), .sin = ffi_arg(f, 4), .first_logits = logits,
               .noise = (const uint32_t*)ffi_arg(f, 7), .stops = (const int32_t*)ffi_arg(f, 10), .tokens = (int32_t*)ffi_ret(f, 0),
               .log_probs = ffi_ret(f, 1)};
  d.seats = d.batch, d.wide = round_up(d.dim, LANES), d.apart = weights_of(&d) < cached();
  d.blocks = (c.capacity + LANES - 1) / LANES;
  d.layer = layers_of(&d);
  for (int64_t i = 0; i < d.layers; i++) {
    int a = shared_arguments + i * layer_arguments + 18;
    d.layer[i].cache_keys = carried(f, a, 3 + top + 2 * i), d.layer[i].cache_values = carried(f, a + 1, 4 + top + 2 * i);
  }
  pool packed = {ffi_arg(f, last + after_packed), 0};
  lay_out_weights(&d, &packed);
  float* memory = reserve(&d, f, 0);
  decode_job job = {&d, f};
  team_run(extend_work, &job);
  for (int64_t m = 0; m < d.rows; m++) memcpy(logits + d.active[m] * d.vocab, d.logits + m * d.vocab, d.vocab * sizeof(float));
  free(memory);
  free(d.layer);
  return NULL;
}
