"""Writes reference.json: tokenizer files of every supported kind with the ids and texts that
Hugging Face tokenizers (0.23.3) gives for them.

    pip install tokenizers==0.23.3 && python reference.py

The bases are trained anew each time, and training is not deterministic: so are the files.
"""
import json
import os
import random

from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, decoders, processors, trainers

here = os.path.dirname(os.path.abspath(__file__))
rnd = random.Random(7)

CORPUS = [
    "Once upon a time there was a little girl who had 12 apples and gave 3 of them away.",
    "She said: 'I'm sure we're going to have 1234 more, don't you think?' They'd agreed.",
    "def add(a, b):\n    return a + b\n\n\nprint(add(2, 40))\t# 42",
    "Die Größe des Gebäudes beträgt 37 Meter; el niño comió una manzana más.",
    "你好，世界。今天天气很好。 日本語のテキストです。 안녕하세요",
    "x = \\frac{1}{2} \\cdot (a^2 + b^2) = 0.5, y \\in [0, 1)",
] * 3

ALPHABET = list("abcXYZ'sStTreEvVmMlLdD  \t\n\r\u00a0\u3000.,!?-_=(){}01239²½Ⅷé\u0301\u0323ſ한가\u1100\u1161你，😀ßİı\ufb01\u0085▁Ġ<>")


def random_text():
    text = "".join(rnd.choice(ALPHABET) for _ in range(rnd.randrange(1, 30)))
    if rnd.random() < 0.4:
        text += rnd.choice(["<mark>", " <s> ", " <x> ", "foo", "food", "<tag>", "<TAG>", "ABC"]) + text[:5]
    return text


TEXTS = ["", " ", "\n\n", "  a  b", "I'LL We'Re 'ſ", "a\r\n \n b", "1234567 12", "a" + "\u0301" * 40 + "\u0323", "\u09be" * 35,
         "<s>Hello<x>  world foo <mark>"] + CORPUS[:6] + [random_text() for _ in range(28)]

GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|"
         r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_level_base():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer, t.decoder = GPT2, decoders.ByteLevel()
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return json.loads(t.to_str())


def fallback_base():
    t = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    t.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    special = ["<unk>", "<s>", "</s>"]
    byte_tokens = ["<0x%02X>" % i for i in range(256)]
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=450, special_tokens=special + byte_tokens, limit_alphabet=50, show_progress=False, max_token_length=6))
    t.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    d = json.loads(t.to_str())
    d["added_tokens"] = d["added_tokens"][:3]
    return d


def subword_base():
    t = Tokenizer(models.BPE(unk_token="[UNK]", continuing_subword_prefix="##", end_of_word_suffix="</w>"))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=200, special_tokens=["[UNK]"], continuing_subword_prefix="##", end_of_word_suffix="</w>", show_progress=False))
    return json.loads(t.to_str())


def unigram_base():
    t = Tokenizer(models.Unigram())
    t.pre_tokenizer, t.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    special = ["<unk>"] + ["<0x%02X>" % i for i in range(256)]
    t.train_from_iterator(CORPUS, trainers.UnigramTrainer(vocab_size=480, special_tokens=special, unk_token="<unk>", show_progress=False))
    d = json.loads(t.to_str())
    d["added_tokens"] = d["added_tokens"][:1]
    return d


def component(kind, value):
    """The JSON of one component."""
    t = Tokenizer(models.BPE())
    setattr(t, kind, value)
    return json.loads(t.to_str())[kind]


bases = {"bytes": byte_level_base(), "fallback": fallback_base(), "subword": subword_base(), "unigram": unigram_base()}
cases = []


def case(name, base, model=None, **parts):
    change = {k: (v if isinstance(v, (dict, list, type(None))) else component(k, v)) for k, v in parts.items()}
    full = dict(bases[base], **change)
    full["model"] = dict(full["model"], **(model or {}))
    t = Tokenizer.from_str(json.dumps(full))
    rows = []
    for text in TEXTS:
        t.encode_special_tokens = False
        ids, with_special = t.encode(text, add_special_tokens=False).ids, t.encode(text).ids
        t.encode_special_tokens = True
        plain = t.encode(text, add_special_tokens=False).ids
        inner = ids[1:-1]
        rows.append([ids, with_special if with_special != ids else 0, plain if plain != ids else 0,
                     t.decode(ids, skip_special_tokens=False), t.decode(inner, skip_special_tokens=True)])
    cases.append({"name": name, "base": base, "change": change, "model": model or {}, "rows": rows})


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Sequence([pre_tokenizers.Split(pattern, behavior, invert=invert), BYTES])


def sequence(*steps):
    return pre_tokenizers.Sequence(list(steps) + [BYTES])


case("gpt2", "bytes")
case("prefix space", "bytes", pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=True))
case("qwen2", "bytes", pre_tokenizer=split(Regex(QWEN2)), normalizer=normalizers.NFC())
case("llama3", "bytes", pre_tokenizer=split(Regex(LLAMA3)), model={"ignore_merges": True})
case("removed inverted", "bytes", pre_tokenizer=split(Regex(QWEN2), "removed", True), normalizer=normalizers.NFKC())
case("o200k", "bytes", pre_tokenizer=split(Regex(O200K)), normalizer=normalizers.NFKD())
case("words", "bytes", pre_tokenizer=split(Regex(r"\w+|[^\w\s]"), "contiguous"))
for behavior in ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]:
    case("split " + behavior, "bytes", pre_tokenizer=split(Regex(r"\s|[a-c]"), behavior))
    case("split inverted " + behavior, "bytes", pre_tokenizer=split("a", behavior, True))
case("digits", "bytes", pre_tokenizer=sequence(pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation(), pre_tokenizers.WhitespaceSplit()))
case("contiguous digits", "bytes", pre_tokenizer=sequence(pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Whitespace()))
case("lowercase", "bytes", pre_tokenizer=BYTES, normalizer=normalizers.Sequence(
    [normalizers.Strip(), normalizers.Lowercase(), normalizers.NFD(), normalizers.Replace(Regex(r"\s+"), " ")]))
case("byte-level normalizer", "bytes", pre_tokenizer=pre_tokenizers.Split("Ġ", "merged_with_next"), normalizer=normalizers.ByteLevel())

size = len(bases["bytes"]["model"]["vocab"])


def added(i, content, special, **options):
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, **options}
    return {"id": size + i, "content": content, "special": special, **flags}


case("added tokens", "bytes", normalizer=normalizers.Lowercase(),
     added_tokens=[added(0, "<mark>", True), added(1, "<s>", True, lstrip=True), added(2, "<x>", True, lstrip=True, rstrip=True),
                   added(3, "foo", False, single_word=True), added(4, "<tag>", False, normalized=True), added(5, "abc", False, normalized=True)],
     post_processor={"type": "TemplateProcessing",
                     "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<x>", "type_id": 0}}],
                     "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                     "special_tokens": {"<s>": {"id": "<s>", "ids": [size + 1], "tokens": ["<s>"]}, "<x>": {"id": "<x>", "ids": [size + 2], "tokens": ["<x>"]}}})
case("byte fallback", "fallback")
case("fused unknowns", "fallback", model={"byte_fallback": False})
case("single unknowns", "fallback", model={"byte_fallback": False, "fuse_unk": False})
case("no unknown", "fallback", model={"byte_fallback": False, "unk_token": None})
for scheme in ["always", "first", "never"]:
    meta = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": scheme != "always"}
    case("metaspace " + scheme, "fallback", normalizer=None, pre_tokenizer=meta, decoder=meta)
case("no decoder", "fallback", decoder=None)
case("subword marks", "subword")
case("unigram", "unigram")
case("unigram with bytes", "unigram", model={"byte_fallback": True})

with open(os.path.join(here, "reference.json"), "w") as f:
    json.dump({"texts": TEXTS, "bases": bases, "cases": cases}, f, ensure_ascii=True, separators=(",", ":"))
    f.write("\n")
