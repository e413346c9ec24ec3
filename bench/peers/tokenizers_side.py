"""Hugging Face tokenizers: python tokenizers_side.py DATA TIMES; prints {"seconds": [...], "bytes": n, "tokens": n}, the first repetition left out.

Encodes GSM8K and MATH with Qwen2's vocabulary, text by text on one thread (TOKENIZERS_PARALLELISM=false), as encode() does."""
import gzip
import json
import os
import sys
import time

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

data, times = sys.argv[1], int(sys.argv[2])


def lines(path):
    with (gzip.open if path.endswith(".gz") else open)(os.path.join(data, path), "rt", encoding="utf-8", newline="\n") as f:
        return f.read().split("\n")


vocab = json.loads("\n".join(lines("tokenizers/qwen2/vocab.json.gz")))
merges = [tuple(line.split(" ")) for line in lines("tokenizers/qwen2/merges.txt.gz") if line and not line.startswith("#version")]
tokenizer = Tokenizer(models.BPE(vocab, merges))
tokenizer.normalizer = normalizers.NFC()
tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
    pre_tokenizers.Split(Regex(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"), "isolated"),
    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
texts = []
for path in ["gsm8k/train.jsonl.gz", "gsm8k/test.jsonl", "math/math_test.jsonl.gz"]:
    for line in lines(path):
        if line:
            row = json.loads(line)
            texts += [row.get("question", "") + row.get("problem", ""), row.get("answer", "") + row.get("solution", "")]

seconds = []
for _ in range(times + 1):
    tokens = 0
    start = time.perf_counter()
    for text in texts:
        tokens += len(tokenizer.encode(text, add_special_tokens=False).ids)
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds[1:], "bytes": sum(len(text.encode()) for text in texts), "tokens": tokens}))
