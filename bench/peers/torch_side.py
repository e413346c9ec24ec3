"""torch and transformers: python torch_side.py train|decode SHAPE ROWS LENGTH TIMES; prints {"seconds": [...]}, the first repetition left out.

train: LENGTH tokens a row, eager, fused AdamW. decode: generate LENGTH tokens after 64, sampling from the whole vocabulary."""
import json
import sys
import time

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from shapes import SHAPES

work, shape = sys.argv[1], SHAPES[sys.argv[2]]
rows, length, times = map(int, sys.argv[3:6])
torch.set_num_threads(torch.get_num_threads())
torch.manual_seed(0)
model = LlamaForCausalLM(LlamaConfig(
    vocab_size=shape["vocab"], hidden_size=shape["hidden"], num_hidden_layers=shape["layers"], num_attention_heads=shape["heads"],
    num_key_value_heads=shape["kv"], head_dim=shape["head"], intermediate_size=shape["ffn"], tie_word_embeddings=True,
    max_position_embeddings=2048, bos_token_id=None, eos_token_id=None, pad_token_id=0)).float()

if work == "train":
    tokens = torch.randint(0, shape["vocab"], (rows, length))
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.01, fused=True)

    def once():
        loss = model(input_ids=tokens, labels=tokens, use_cache=False).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
else:
    model.eval()
    prompts = torch.randint(1, shape["vocab"], (rows, 64))

    def once():
        with torch.no_grad():
            model.generate(prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=length, min_new_tokens=length,
                           do_sample=True, top_k=0, temperature=1.0)

seconds = []
for _ in range(times + 1):
    start = time.perf_counter()
    once()
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds[1:]}))
