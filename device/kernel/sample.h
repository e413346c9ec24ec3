// Sampling: the noise is a hash of (sequence key, step, vocabulary entry), as lm.Uniform computes it.

static inline uint32_t mix32(uint32_t h) {
  h ^= h >> 16;
  h *= 0x85EBCA6Bu;
  h ^= h >> 13;
  h *= 0xC2B2AE35u;
  return h ^ h >> 16;
}

typedef uint32_t vecu __attribute__((vector_size(4 * LANES)));

static inline vecu mixv(vecu h) {
  h ^= h >> 16;
  h *= 0x85EBCA6Bu;
  h ^= h >> 13;
  h *= 0xC2B2AE35u;
  return h ^ h >> 16;
}

// gumbel is standard Gumbel noise for LANES vocabulary entries from first on.
static inline vec gumbel(uint32_t row, uint32_t first) {
  vecu entry;
  for (int i = 0; i < LANES; i++) entry[i] = (first + i) * 0x9E3779B9u;
  vecu h = mixv(mixv(entry + row) ^ row);
  vec u = (__builtin_convertvector((veci)(h >> 9), vec) + 0.5f) * 0x1p-23f;
  return -logv(-logv(u));
}

// threshold is the least logit that top-k and nucleus sampling keep; see truncate in lm. limit is how many likeliest are looked at.
static float threshold(team_member who, const decoder* d, const float* logits, float top_p, float top, float mass) {
  int64_t limit = d->top_k;
  if (limit == 0 || limit > d->vocab) limit = d->vocab < 64 ? d->vocab : 64;
  float* best = team_scratch(who, 6, limit + 1);  // descending
  int64_t n = 0;
  for (int64_t i = 0; i < d->vocab; i++) {
    if (n == limit && logits[i] <= best[n - 1]) continue;
    int64_t at = n < limit ? n++ : n - 1;
    for (; at > 0 && best[at - 1] < logits[i]; at--) best[at] = best[at - 1];
    best[at] = logits[i];
  }
  float least = best[limit - 1];
  if (d->nucleus) {
    float before = 0, nucleus = best[0];
    for (int64_t i = 0; i < limit && before < top_p; i++) {
      nucleus = best[i];
      before += expf(best[i] - top) / mass;
    }
    least = d->top_k == 0 || nucleus > least ? nucleus : least;
  }
  return least;
}

typedef struct {
  float top, mass;  // the largest logit, and the sum of exp(logit - top)
} softmax;

// softmax_of leaves logits / temperature in z [wide] and gives what normalises them.
static softmax softmax_of(float* z, const float* logits, float temperature, int64_t vocab, int64_t wide) {
  vec tops = all(-INFINITY), sum = {};
  for (int64_t i = 0; i < vocab; i++) z[i] = logits[i] / temperature;
  for (int64_t i = vocab; i < wide; i++) z[i] = -INFINITY;
  for (int64_t i = 0; i < wide; i += LANES) tops = vmax(tops, load(z + i));
  float top = largest(tops);
  for (int64_t i = 0; i < wide; i += LANES) sum += expv(load(z + i) - top);
  return (softmax){top, total(sum)};
}

// alternatives records the likeliest tokens of a chunk's step, the first of equals first.
static void alternatives(const decoder* d, int64_t at, const float* z, softmax s) {
  int64_t top = d->chunk->top, n = 0;
  int32_t* ids = d->chunk->top_ids + at * top;
  float* best = d->chunk->top_log_probs + at * top;
  for (int64_t i = 0; i < d->vocab; i++) {
    if (n == top && z[i] <= best[n - 1]) continue;
    int64_t to = n < top ? n++ : n - 1;
    for (; to > 0 && best[to - 1] < z[i]; to--) best[to] = best[to - 1], ids[to] = ids[to - 1];
    best[to] = z[i], ids[to] = (int32_t)i;
  }
  for (int64_t i = 0; i < n; i++) best[i] = best[i] - s.top - logf(s.mass);
}

// draw samples the next token of a sequence from its logits and records it with its log-probability: under softmax(logits / temperature) in a
// generation, under softmax(logits) in a chunk.
static int32_t draw(team_member who, const decoder* d, int64_t sequence, const float* logits) {
  float temperature = d->temperature[sequence * d->each], top_p = d->top_p[sequence * d->each];
  int greedy = temperature <= 0;
  if (greedy) temperature = 1;
  int64_t wide = round_up(d->vocab, LANES);
  float* z = team_scratch(who, 4, wide);
  softmax s = softmax_of(z, logits, temperature, d->vocab, wide);
  int truncated = (d->top_k > 0 && d->top_k < d->vocab) || (d->nucleus && !(d->chunk && top_p >= 1));
  float least = truncated ? threshold(who, d, z, top_p, s.top, s.mass) : -INFINITY;

  uint32_t step = (uint32_t)(d->steps[sequence] + (d->chunk ? d->chunk->drawn[sequence] : 0));
  uint32_t row = mix32(mix32(d->noise[2 * sequence] ^ step * 0x9E3779B9u) ^ d->noise[2 * sequence + 1]);
  vec best = all(-INFINITY);
  veci tokens = {};
  for (int64_t i = 0; i < wide; i += LANES) {
    vec v = load(z + i);
    vec y = greedy ? v : v + gumbel(row, (uint32_t)i);
    veci better = (y > best) & ~(v < least);
    best = pick(better, y, best);
    tokens = (better & (int32_t)i) | (~better & tokens);
  }
  float top = largest(best);
  int32_t token = (int32_t)d->vocab;  // the first of equals
  for (int32_t c = 0; c < LANES; c++)
    if (best[c] == top && tokens[c] + c < token) token = tokens[c] + c;
  int64_t at = sequence * d->news + d->steps[sequence];
  if (d->chunk && temperature != 1) s = softmax_of(z, logits, 1, d->vocab, wide);
  d->tokens[at] = token;
  d->log_probs[at] = z[token] - s.top - logf(s.mass);
  if (d->chunk && d->chunk->top) alternatives(d, at, z, s);
  return token;
}

// leave takes the sequences that have drawn a stop token, or all they want, out of the batch. The rest of their row repeats the first stop token; that of
// a chunk stays as it is.
static void leave(decoder* d) {
  int64_t kept = 0;
  for (int64_t m = 0; m < d->rows; m++) {
    int64_t sequence = d->active[m], drawn = d->steps[sequence] + 1;
    if (drawn > d->longest) d->longest = drawn;
    int stopped = drawn == (d->chunk ? d->chunk->remaining[sequence] : d->news);
    for (int64_t s = 0; s < d->stop_count; s++) stopped |= d->next[m] == d->stops[s];
    if (stopped) {
      for (int64_t t = drawn; !d->chunk && t < d->news; t++) {
        d->tokens[sequence * d->news + t] = d->stops[0];
        d->log_probs[sequence * d->news + t] = 0;
      }
      d->vacant[d->vacancies++] = d->seat[sequence];
      continue;
    }
    d->active[kept] = d->active[m];
    d->next[kept++] = d->next[m];
  }
  d->rows = kept;
}
