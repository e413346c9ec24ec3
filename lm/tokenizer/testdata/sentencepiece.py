"""Writes sentencepiece.json: small models of every supported kind, with the ids that sentencepiece (0.2.3) gives for texts.

    pip install sentencepiece==0.2.3 protobuf && python sentencepiece.py
"""
import base64
import hashlib
import io
import json
import os
import random
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path = [p for p in sys.path if os.path.abspath(p or ".") != here]  # this file has the library's name
import sentencepiece as spm
from sentencepiece import sentencepiece_model_pb2 as pb

rnd = random.Random(11)
CORPUS = [
    "Once upon a time there was a little girl who had 12 apples and gave 3 of them away.",
    "She said: 'I'm sure we're going to have 1234 more, don't you think?' They'd agreed.",
    "def add(a, b):\n    return a + b", "print(add(2, 40))  # 42",
    "Die Größe des Gebäudes beträgt 37 Meter; el niño comió una manzana más.",
    "你好，世界。今天天气很好。 日本語のテキストです。",
    "there is a girl and there was a time when there were more apples than there are now",
] * 4
ALPHABET = list("abcdehinorstw    \t\n\r\u00a0\u3000.,'0129²é\u0301ﬁＡ１①你好，😀ßİ▁<>\ufeff\u200b\x00\x07")
TEXTS = ["", " ", "   ", "\n", "a", " a", "a ", "  a   b  ", "Hello world", "there was  a time", "<mark>", "a<mark>b", "a  <mark>  b", " <mark>",
         "<s>there</s>", "<ctl>", "<0x41>", "▁there▁was", "ﬁne ＡＢＣ １２３ ①", "e\u0301e\u0301 é", "😀😀 你好😀", "\ufffd", "<unk>", "therethere" * 12] + CORPUS[:7] + [
    "".join(rnd.choice(ALPHABET) for _ in range(rnd.randrange(1, 40))) + rnd.choice(["", "<mark>", " there was", "<mark> a"]) for _ in range(40)]
RULES = "".join("%s\t%s\n" % (" ".join("%X" % ord(c) for c in a), " ".join("%X" % ord(c) for c in b)) for a, b in [
    ("ﬁ", "fi"), ("Ａ", "A"), ("①", "1"), ("\t", " "), ("\n", " "), ("\u00a0", " "), ("\u3000", " "), ("e\u0301", "é"), ("\u200b", ""), ("\x07", ""), ("İ", "i\u0307")])

with open("/tmp/rules.tsv", "w") as f:
    f.write(RULES)


def train(kind, size, rules, **options):
    out = io.BytesIO()
    more = {"normalization_rule_tsv": "/tmp/rules.tsv"} if rules else {"normalization_rule_name": "identity"}
    spm.SentencePieceTrainer.train(sentence_iterator=iter(CORPUS), model_writer=out, model_type=kind, vocab_size=size, minloglevel=2,
                                   user_defined_symbols=["<mark>"], control_symbols=["<ctl>"], hard_vocab_limit=False, **more, **options)
    m = pb.ModelProto()
    m.ParseFromString(out.getvalue())
    m.trainer_spec.ClearField("input")
    return m


def unused(m):
    """Some pieces that others are made of are no longer used."""
    for i, p in enumerate(m.pieces):
        if p.type == 1 and i % 5 == 0 and len(p.piece) > 1:
            p.type = 5
    return m


def spec(m, **fields):
    for k, v in fields.items():
        setattr(m.normalizer_spec, k, v)
    return m


MODELS = {
    "bpe as llama": train("bpe", 420, False, byte_fallback=True, split_digits=True, remove_extra_whitespaces=False, allow_whitespace_only_pieces=True),
    "bpe rules": train("bpe", 170, True, character_coverage=0.98),
    "bpe unused": unused(train("bpe", 420, True, byte_fallback=True)),
    "bpe no prefix": train("bpe", 160, False, add_dummy_prefix=False, character_coverage=0.98),
    "bpe plain spaces": spec(train("bpe", 400, False, byte_fallback=True), escape_whitespaces=False),
    "unigram rules": train("unigram", 150, True, character_coverage=0.98),
    "unigram bytes": train("unigram", 400, True, byte_fallback=True, remove_extra_whitespaces=False),
    "unigram unused": unused(train("unigram", 150, False, character_coverage=0.98)),
}
out = []
for name, m in MODELS.items():
    data = m.SerializeToString()
    sp = spm.SentencePieceProcessor(model_proto=data)
    ids = [sp.encode(t) for t in TEXTS]
    out.append({"name": name, "model": base64.b64encode(data).decode(), "ids": ids, "texts": [sp.decode(i) for i in ids]})
# The models and the book of the shared data, which lie beside the checkout: a digest of all ids, by line.
DATA = os.environ.get("DATA", os.path.join(here, *[".."] * 4, "shared", "data")) + "/tokenizers"
shared = []
with open(os.path.join(DATA, "sentencepiece", "botchan.txt"), encoding="utf-8") as f:
    lines = f.read().split("\n")
for path in ["sentencepiece/test_model.model", "llama2/tokenizer.model"]:
    sp = spm.SentencePieceProcessor(model_file=os.path.join(DATA, path))
    digest = hashlib.sha256("\n".join(" ".join(map(str, sp.encode(t))) for t in lines).encode()).hexdigest()
    shared.append({"path": path, "ids": [sp.encode(t) for t in TEXTS], "botchan": digest})
with open(os.path.join(here, "sentencepiece.json"), "w") as f:
    json.dump({"texts": TEXTS, "models": out, "shared": shared}, f, ensure_ascii=True, separators=(",", ":"))
    f.write("\n")
