"""A random decoder of a bench's shape as a GGUF file (version 3) of float32: python gguf_shape.py SHAPE FILE."""
import os
import struct
import sys

import numpy as np

from shapes import SHAPES

s, file = SHAPES[sys.argv[1]], sys.argv[2]
UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9


def text(v):
    v = v.encode()
    return struct.pack("<Q", len(v)) + v


def value(kind, v):
    return text(v) if kind == STRING else struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f"}[kind], v)


def array(kind, values):
    return struct.pack("<IIQ", ARRAY, kind, len(values)) + b"".join(value(kind, v) for v in values)


def one(kind, v):
    return struct.pack("<I", kind) + value(kind, v)


# llama.cpp looks a line's end up among the bytes, so the vocabulary has them.
first = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
rest = s["vocab"] - len(first)
settings = {
    "general.architecture": one(STRING, "llama"),
    "llama.context_length": one(UINT32, 2048),
    "llama.embedding_length": one(UINT32, s["hidden"]),
    "llama.block_count": one(UINT32, s["layers"]),
    "llama.feed_forward_length": one(UINT32, s["ffn"]),
    "llama.attention.head_count": one(UINT32, s["heads"]),
    "llama.attention.head_count_kv": one(UINT32, s["kv"]),
    "llama.attention.key_length": one(UINT32, s["head"]),
    "llama.attention.value_length": one(UINT32, s["head"]),
    "llama.attention.layer_norm_rms_epsilon": one(FLOAT32, 1e-6),
    "llama.rope.dimension_count": one(UINT32, s["head"]),
    "llama.rope.freq_base": one(FLOAT32, 10000.0),
    "llama.vocab_size": one(UINT32, s["vocab"]),
    "tokenizer.ggml.model": one(STRING, "llama"),
    "tokenizer.ggml.tokens": array(STRING, first + [f"t{i}" for i in range(rest)]),
    "tokenizer.ggml.scores": array(FLOAT32, [0.0] * s["vocab"]),
    "tokenizer.ggml.token_type": array(INT32, [2, 3, 3] + [6] * 256 + [1] * rest),
    "tokenizer.ggml.unknown_token_id": one(UINT32, 0),
    "tokenizer.ggml.bos_token_id": one(UINT32, 1),
    "tokenizer.ggml.eos_token_id": one(UINT32, 2),
}
shapes = {"token_embd.weight": (s["vocab"], s["hidden"]), "output_norm.weight": (s["hidden"],)}
for i in range(s["layers"]):
    p = f"blk.{i}."
    shapes |= {
        p + "attn_norm.weight": (s["hidden"],),
        p + "attn_q.weight": (s["heads"] * s["head"], s["hidden"]),
        p + "attn_k.weight": (s["kv"] * s["head"], s["hidden"]),
        p + "attn_v.weight": (s["kv"] * s["head"], s["hidden"]),
        p + "attn_output.weight": (s["hidden"], s["heads"] * s["head"]),
        p + "ffn_norm.weight": (s["hidden"],),
        p + "ffn_gate.weight": (s["ffn"], s["hidden"]),
        p + "ffn_up.weight": (s["ffn"], s["hidden"]),
        p + "ffn_down.weight": (s["hidden"], s["ffn"]),
    }

head = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(settings)) + b"".join(text(k) + v for k, v in settings.items())
offset = 0
for name, dims in shapes.items():
    head += text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *reversed(dims), 0, offset)
    offset += -(-4 * int(np.prod(dims)) // 32) * 32
random = np.random.default_rng(0)
with open(file + ".new", "wb") as f:
    f.write(head + bytes(-len(head) % 32))
    for dims in shapes.values():
        data = np.ones(dims) if len(dims) == 1 else random.standard_normal(dims) * 0.02
        data = data.astype(np.float32).tobytes()
        f.write(data + bytes(-len(data) % 32))
os.rename(file + ".new", file)
