"""Decoding with llama.cpp itself: python llamacpp_side.py LIBRARIES FILE ROWS LENGTH TIMES; prints {"seconds": [...]}, the first repetition left out.

LIBRARIES is the folder of libllama and its ggml libraries. All rows are decoded in one batch, one token each, through llama.cpp's C interface (llama.h);
each row has a cache of its own. Everything is float32, the cache too; its flash attention is off, for it is slower in float32 (half as fast with 16
rows). Sampling is at temperature 1 from the whole vocabulary."""
import ctypes
import glob
import json
import os
import sys
import time
from ctypes import POINTER, c_byte, c_char_p, c_float, c_int32, c_uint32, c_void_p

libraries, file, *numbers = sys.argv[1:]
rows, length, times = map(int, numbers)
prompt, threads = 64, len(os.sched_getaffinity(0))
F32 = 0  # ggml_type


class Params(ctypes.Structure):
    """Settings as llama.cpp gives and takes them, by value. Longer than they are: what lies behind is not read."""
    _fields_ = [("words", c_uint32 * 64)]


class Batch(ctypes.Structure):
    _fields_ = [("n_tokens", c_int32), ("token", POINTER(c_int32)), ("embd", POINTER(c_float)), ("pos", POINTER(c_int32)),
                ("n_seq_id", POINTER(c_int32)), ("seq_id", POINTER(POINTER(c_int32))), ("logits", POINTER(c_byte))]


def library(pattern):
    found = glob.glob(os.path.join(libraries, pattern))
    if len(found) != 1:
        raise SystemExit(f"{libraries}: {len(found)} files are named {pattern}")
    return ctypes.CDLL(found[0], mode=ctypes.RTLD_GLOBAL)


library("libggml-base.so")
ggml, llama = library("libggml.v*.so"), library("libllama.v*.so")


def function(of, name, result, *args):
    f = getattr(of, name)
    f.restype, f.argtypes = result, args
    return f


decode = function(llama, "llama_decode", c_int32, c_void_p, Batch)
sample = function(llama, "llama_sampler_sample", c_int32, c_void_p, c_void_p, c_int32)
clear = function(llama, "llama_memory_clear", None, c_void_p, ctypes.c_bool)

function(llama, "llama_log_set", None, c_void_p, c_void_p)(ctypes.cast(quiet := ctypes.CFUNCTYPE(None, c_int32, c_char_p, c_void_p)(lambda *_: None), c_void_p), None)
function(ggml, "ggml_backend_load_all_from_path", None, c_char_p)(libraries.encode())
model = function(llama, "llama_model_load_from_file", c_void_p, c_char_p, Params)(file.encode(), function(llama, "llama_model_default_params", Params)())
if not model:
    raise SystemExit(f"llama.cpp cannot read {file}")

settings = function(llama, "llama_context_default_params", Params)()
N_CTX, N_BATCH, N_UBATCH, N_SEQ_MAX, N_THREADS, N_THREADS_BATCH, FLASH_ATTENTION, TYPE_K, TYPE_V = 0, 1, 2, 3, 7, 8, 13, 26, 27
AUTOMATIC = 2**32 - 1
if [settings.words[i] for i in (N_CTX, N_BATCH, N_UBATCH, N_SEQ_MAX, N_THREADS, N_THREADS_BATCH, FLASH_ATTENTION, TYPE_K, TYPE_V)] != [
        512, 2048, 512, 1, 4, 4, AUTOMATIC, 1, 1]:
    raise SystemExit("this llama.cpp lays llama_context_params out otherwise than llamacpp_side.py knows it")
for place, v in {N_CTX: rows * (prompt + length), N_SEQ_MAX: rows, N_THREADS: threads, N_THREADS_BATCH: threads, FLASH_ATTENTION: 0,
                 TYPE_K: F32, TYPE_V: F32}.items():
    settings.words[place] = v
context = function(llama, "llama_init_from_model", c_void_p, c_void_p, Params)(model, settings)
if not context:
    raise SystemExit("llama.cpp made no context")
memory = function(llama, "llama_get_memory", c_void_p, c_void_p)(context)
batch = function(llama, "llama_batch_init", Batch, c_int32, c_int32, c_int32)(rows * prompt, 0, 1)
samplers = [function(llama, "llama_sampler_init_dist", c_void_p, c_uint32)(row + 1) for row in range(rows)]


def step(tokens, start):
    """Decodes tokens [rows][n] at positions start… and draws the next of each row."""
    n = 0
    for row, new in enumerate(tokens):
        for i, token in enumerate(new):
            batch.token[n], batch.pos[n], batch.n_seq_id[n], batch.logits[n] = token, start + i, 1, i == len(new) - 1
            batch.seq_id[n][0] = row
            n += 1
    batch.n_tokens = n
    if code := decode(context, batch):
        raise SystemExit(f"llama_decode answers {code}")
    each = n // rows
    return [[sample(sampler, context, (row + 1) * each - 1)] for row, sampler in enumerate(samplers)]


def once():
    clear(memory, True)
    tokens = step([[3 + (7919 * row + 31 * i) % 500 for i in range(prompt)] for row in range(rows)], 0)
    for position in range(prompt, prompt + length - 1):
        tokens = step(tokens, position)


seconds = []
for _ in range(times + 1):
    begin = time.perf_counter()
    once()
    seconds.append(time.perf_counter() - begin)
print(json.dumps({"seconds": seconds[1:]}))
