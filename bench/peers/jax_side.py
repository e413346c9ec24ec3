"""JAX, jit: python jax_side.py train|decode SHAPE ROWS LENGTH TIMES; prints {"seconds": [...]}, the first repetition left out.

train: one jitted step with donated state. decode: the whole generation of LENGTH tokens after 64 as one while_loop over a key-value cache."""
import json
import math
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

from shapes import SHAPES

work, shape = sys.argv[1], SHAPES[sys.argv[2]]
rows, length, times = map(int, sys.argv[3:6])
V, D, L, H, KV, HD, F = (shape[k] for k in ("vocab", "hidden", "layers", "heads", "kv", "head", "ffn"))
random = np.random.RandomState(1)


def matrix(*dims):
    return jnp.asarray(random.randn(*dims).astype("f") * 0.02)


params = dict(embed=matrix(V, D), norm=jnp.ones(D), layers=[
    dict(n1=jnp.ones(D), q=matrix(H * HD, D), k=matrix(KV * HD, D), v=matrix(KV * HD, D), o=matrix(D, H * HD),
         n2=jnp.ones(D), g=matrix(F, D), u=matrix(F, D), d=matrix(D, F)) for _ in range(L)])
frequency = jnp.asarray(1 / 10000 ** (np.arange(0, HD, 2) / HD), jnp.float32)


def norm(x, w):
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + 1e-6) * w


def rotate(x, position):  # x [..., time, heads, head]
    angle = position[:, None, None] * frequency
    a, b = jnp.split(x, 2, -1)
    return jnp.concatenate([a * jnp.cos(angle) - b * jnp.sin(angle), b * jnp.cos(angle) + a * jnp.sin(angle)], -1)


def project(w, x, position):
    b, t, _ = x.shape
    h = norm(x, w["n1"])
    return (rotate((h @ w["q"].T).reshape(b, t, H, HD), position), rotate((h @ w["k"].T).reshape(b, t, KV, HD), position),
            (h @ w["v"].T).reshape(b, t, KV, HD))


def attend(q, k, v, mask):  # q [b,t,H,HD], k and v [b,s,KV,HD], mask [t,s]
    b, t = q.shape[:2]
    q = q.reshape(b, t, KV, H // KV, HD)
    scores = jnp.where(mask, jnp.einsum("btkgd,bskd->bkgts", q, k) / math.sqrt(HD), -1e30)
    return jnp.einsum("bkgts,bskd->btkgd", jax.nn.softmax(scores, -1), v).reshape(b, t, H * HD)


def finish(w, x, attended):
    x = x + attended @ w["o"].T
    h = norm(x, w["n2"])
    return x + (jax.nn.silu(h @ w["g"].T) * (h @ w["u"].T)) @ w["d"].T


def forward(params, tokens):
    position = jnp.arange(tokens.shape[1], dtype=jnp.float32)
    mask = jnp.tril(jnp.ones((tokens.shape[1],) * 2, bool))
    x, cache = params["embed"][tokens], []
    for w in params["layers"]:
        q, k, v = project(w, x, position)
        x = finish(w, x, attend(q, k, v, mask))
        cache.append((k, v))
    return x, cache


def head(params, x):
    return norm(x, params["norm"]) @ params["embed"].T


if work == "train":
    tokens = jnp.asarray(random.randint(0, V, (rows, length)))
    target = jnp.roll(tokens, -1)

    def loss(params):
        logp = jax.nn.log_softmax(head(params, forward(params, tokens)[0]))
        return -jnp.mean(jnp.take_along_axis(logp, target[..., None], -1))

    def step(p, m, v, n):
        value, g = jax.value_and_grad(loss)(p)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        p = jax.tree.map(lambda p, m, v: p * (1 - 1e-5) - 1e-3 * (m / (1 - 0.9 ** n)) / (jnp.sqrt(v / (1 - 0.999 ** n)) + 1e-8), p, m, v)
        return p, m, v, n + 1, value

    step = jax.jit(step, donate_argnums=(0, 1, 2, 3))
    state = [params, jax.tree.map(jnp.zeros_like, params), jax.tree.map(jnp.zeros_like, params), jnp.float32(1)]

    def once():
        *state[:], value = step(*state)
        float(value)
else:
    prompt = 64
    tokens = jnp.asarray(random.randint(0, V, (rows, prompt)))

    @jax.jit
    def generate(params, tokens, key):
        x, cache = forward(params, tokens)
        pad = ((0, 0), (0, length), (0, 0), (0, 0))
        cache = [(jnp.pad(k, pad), jnp.pad(v, pad)) for k, v in cache]

        def body(state):
            i, cache, logits, out, key = state
            key, now = jax.random.split(key)
            token = jax.random.categorical(now, logits)
            out = jax.lax.dynamic_update_slice(out, token[:, None].astype(jnp.int32), (0, i))
            slot = prompt + i
            position = slot.astype(jnp.float32)[None]
            mask = (jnp.arange(prompt + length) <= slot)[None]
            x, filled = params["embed"][token][:, None], []
            for w, (keys, values) in zip(params["layers"], cache):
                q, k, v = project(w, x, position)
                keys = jax.lax.dynamic_update_slice(keys, k, (0, slot, 0, 0))
                values = jax.lax.dynamic_update_slice(values, v, (0, slot, 0, 0))
                x = finish(w, x, attend(q, keys, values, mask))
                filled.append((keys, values))
            return i + 1, filled, head(params, x[:, 0]), out, key

        start = (jnp.int32(0), cache, head(params, x[:, -1]), jnp.zeros((rows, length), jnp.int32), key)
        return jax.lax.while_loop(lambda s: s[0] < length, body, start)[3]

    def once():
        generate(params, tokens, jax.random.key(0)).block_until_ready()

seconds = []
for _ in range(times + 1):
    start = time.perf_counter()
    once()
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds[1:]}))
