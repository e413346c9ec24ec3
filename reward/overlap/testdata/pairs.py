"""Writes pairs of texts with what difflib says of them."""
import difflib, json, random, sys
random.seed(1)
alphabets = ["ab", "abc \n", "abcdefgh ()=\n", "aé水\U0001f600 \n"]
def text(n, alpha): return "".join(random.choice(alpha) for _ in range(n))
def mutate(s, alpha, k):
    s = list(s)
    for _ in range(k):
        at = random.randrange(len(s) + 1)
        op = random.random()
        if op < .4: s.insert(at, random.choice(alpha))
        elif op < .8 and s: del s[min(at, len(s) - 1)]
        else: s[at:at] = s[:random.randrange(5)]
    return "".join(s)
out = []
for i in range(int(sys.argv[1])):
    alpha = random.choice(alphabets)
    a = text(random.choice([0, 1, 5, 30, 120]), alpha)
    b = text(random.choice([0, 1, 5, 30, 120]), alpha) if i % 3 == 0 else mutate(a, alpha, random.randrange(12))
    out.append({"a": a, "b": b, "ratio": difflib.SequenceMatcher(None, a, b, autojunk=False).ratio(),
                "diff": "\n".join(list(difflib.unified_diff(a.splitlines(), b.splitlines(), lineterm=""))[2:])})
for n, vocabulary in [(150, 30), (230, 12), (400, 200), (900, 40)]:
    a = [random.choice(["x", "y", "    return %d" % random.randrange(vocabulary)]) for _ in range(n)]
    b = list(a)
    for _ in range(12):
        at = random.randrange(len(b)); b[at:at + random.randrange(3)] = ["new %d" % random.randrange(9)] * random.randrange(3)
    a, b = "\n".join(a), "\r\n".join(b)
    out.append({"a": a, "b": b, "ratio": difflib.SequenceMatcher(None, a, b, autojunk=False).ratio(),
                "diff": "\n".join(list(difflib.unified_diff(a.splitlines(), b.splitlines(), lineterm=""))[2:])})
json.dump(out, sys.stdout, ensure_ascii=True, indent=0)
