"""torch and transformers on a GPU: python torch_gpu_side.py train|decode SHAPE ROWS LENGTH; prints {"seconds": [...]}, the first repetition left out.

train: LENGTH tokens a row in bfloat16 with fused AdamW and gradient checkpointing. decode: generate LENGTH tokens after 128."""
import json
import sys
import time

import torch
from transformers import Qwen3Config, Qwen3ForCausalLM

SHAPES = {
    "0.1B": dict(hidden_size=768, num_hidden_layers=12, num_attention_heads=12, num_key_value_heads=4, head_dim=64, intermediate_size=2048, vocab_size=32768),
    "0.6B": dict(hidden_size=1024, num_hidden_layers=28, num_attention_heads=16, num_key_value_heads=8, head_dim=128, intermediate_size=3072, vocab_size=151936),
    "1.7B": dict(hidden_size=2048, num_hidden_layers=28, num_attention_heads=16, num_key_value_heads=8, head_dim=128, intermediate_size=6144, vocab_size=151936),
}
work, shape, rows, length = sys.argv[1], SHAPES[sys.argv[2]], int(sys.argv[3]), int(sys.argv[4])
torch.manual_seed(0)
model = Qwen3ForCausalLM(Qwen3Config(tie_word_embeddings=True, max_position_embeddings=4096, bos_token_id=None, eos_token_id=None, pad_token_id=0,
                                     **shape)).to("cuda", torch.bfloat16)
tokens = torch.randint(1, shape["vocab_size"], (rows, length if work == "train" else 128), device="cuda")

if work == "train":
    model.gradient_checkpointing_enable()
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=0.01, fused=True)

    def once():
        model(input_ids=tokens, labels=tokens, use_cache=False).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
else:
    model.eval()

    def once():
        with torch.no_grad():
            model.generate(tokens, attention_mask=torch.ones_like(tokens), max_new_tokens=length, min_new_tokens=length, do_sample=True, top_k=0)

seconds = []
for _ in range(6 if work == "train" else 3):
    torch.cuda.synchronize()
    start = time.perf_counter()
    once()
    torch.cuda.synchronize()
    seconds.append(time.perf_counter() - start)
print(json.dumps({"seconds": seconds[1:]}))
