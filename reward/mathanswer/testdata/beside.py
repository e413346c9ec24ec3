"""Judges the first N pairs of math_gold_variations.jsonl.gz with math-verify, for the table in docs/verifiers.md.

    pip install math-verify==0.9.0 latex2sympy2_extended==1.11.0 sympy==1.14.0
    python beside.py FILE N
"""

import gzip
import itertools
import json
import sys
import time

from math_verify import parse, verify

with gzip.open(sys.argv[1], "rt") as f:
    rows = [json.loads(line) for line in itertools.islice(f, int(sys.argv[2]))]
labelled = agreed = 0
start = time.time()
for row in rows:
    got = verify(parse("\\boxed{" + row["gold"] + "}"), parse("\\boxed{" + row["pred"] + "}"))
    if row["by_construction"] is not None:
        labelled += 1
        agreed += got == row["by_construction"]
print(f"{len(rows) / (time.time() - start):.1f} pairs/s; agrees with {agreed} of {labelled} labels")
