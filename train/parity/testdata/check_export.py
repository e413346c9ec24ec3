"""Checks what `temper model export` writes: transformers loads it and computes what `temper model score` prints.

python check_export.py TEMPER DIR [DIR …]   (TEMPER is the program, DIR a model)
"""

import json
import pathlib
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM

IDS = [5, 9, 31, 4, 17, 22, 8, 40, 12, 6, 6, 33]


def main():
    temper, *directories = sys.argv[1:]
    for directory in directories:
        for dtype in ("float32", "bfloat16", "float16"):
            with tempfile.TemporaryDirectory() as folder:
                to = str(pathlib.Path(folder) / "model")
                subprocess.run([temper, "model", "export", directory, to, "--dtype", dtype], check=True, stdout=subprocess.DEVNULL)
                model = AutoModelForCausalLM.from_pretrained(to, dtype=torch.float64, attn_implementation="eager").eval()
                ids = ",".join(map(str, IDS))
                ours = json.loads(subprocess.check_output([temper, "model", "score", "--model", to, "--ids", ids, "--json"]))
            with torch.no_grad():
                logits = model(torch.tensor([IDS])).logits[0]
            theirs = logits.log_softmax(-1)[:-1].gather(-1, torch.tensor(IDS)[1:, None])[:, 0]
            gap = max((torch.tensor(ours["last_logits"]) - logits[-1]).abs().max().item(),
                      (torch.tensor(ours["token_logprobs"]) - theirs).abs().max().item())
            print(f"{pathlib.Path(directory).name:14} {dtype:9} largest difference {gap:.1e}")
            assert gap < 1e-4, (directory, dtype)


if __name__ == "__main__":
    main()
