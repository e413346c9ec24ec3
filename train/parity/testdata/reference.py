"""Makes the goldens of the parity tests: tiny random checkpoints of each family, and what transformers computes with them.

Run with torch 2.9.1 and transformers 5.24.0 (bench/peers/requirements.txt):  python reference.py

For each family it writes a directory that save_pretrained made, and beside it
  golden.json         ids, the targets that count, the loss, the greedy continuations, the log-probability of each token, and how far
                      transformers in bfloat16 is from float64
  golden.safetensors  logits [rows, time, vocab] and the gradient of the loss by parameter, computed in float64, stored in float32
and, for some, adapter/: a LoRA adapter that PEFT made, with the same goldens of the model with it.
"""

import json
import pathlib

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

SIZES = dict(vocab_size=48, hidden_size=32, num_hidden_layers=2, intermediate_size=40, max_position_embeddings=128,
             initializer_range=0.25, bos_token_id=1, eos_token_id=2, pad_token_id=0)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=16)

FAMILIES = {
    "llama2": (LlamaConfig(num_attention_heads=4, num_key_value_heads=4, tie_word_embeddings=False, **SIZES), torch.float32),
    "llama3": (LlamaConfig(num_attention_heads=4, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True,
                           rope_parameters=LLAMA3, **SIZES), torch.bfloat16),
    "llama_bias": (LlamaConfig(num_attention_heads=4, num_key_value_heads=1, attention_bias=True, mlp_bias=True,
                               tie_word_embeddings=False, **SIZES), torch.float32),
    "smollm": (LlamaConfig(num_attention_heads=3, num_key_value_heads=1, tie_word_embeddings=True, rms_norm_eps=1e-5,
                           **SIZES | dict(hidden_size=24)), torch.float16),
    "qwen2": (Qwen2Config(num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=True, **SIZES), torch.bfloat16),
    "qwen2_window": (Qwen2Config(num_attention_heads=4, num_key_value_heads=2, tie_word_embeddings=False, use_sliding_window=True,
                                 sliding_window=6, max_window_layers=1, **SIZES), torch.float32),
    "qwen3": (Qwen3Config(num_attention_heads=4, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True,
                          rope_parameters=dict(rope_type="default", rope_theta=1000000.0), **SIZES), torch.float32),
    "mistral": (MistralConfig(num_attention_heads=4, num_key_value_heads=2, head_dim=16, sliding_window=7, tie_word_embeddings=False,
                              **SIZES), torch.float32),
}
OLD_FORM = {"llama2", "llama_bias", "qwen2", "smollm"}  # config.json with rope_theta and torch_dtype, as before transformers 5
SHARDED = {"mistral"}
ADAPTERS = {
    "qwen3": LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
                        task_type="CAUSAL_LM"),
    "llama_bias": LoraConfig(r=2, lora_alpha=6, use_rslora=True, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"),
}
ROWS, TIME, PROMPT, NEW = 2, 24, 9, 16


def randomize(model):
    """Gives norms and biases, which a new model sets to ones and zeros, values that matter."""
    for name, p in model.named_parameters():
        if "norm" in name:
            p.data.uniform_(0.5, 1.5)
        elif name.endswith("bias"):
            p.data.normal_(0, 0.3)


def to_old_form(directory):
    path = directory / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope["rope_theta"]
    config["rope_scaling"] = None
    config["torch_dtype"] = config.pop("dtype")
    path.write_text(json.dumps(config, indent=2) + "\n")


def write_adapter(directory, config, ids, labels):
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float64, attn_implementation="eager").eval()
    model = get_peft_model(model, config, autocast_adapter_dtype=False)
    for name, p in model.named_parameters():
        if "lora_B" in name:
            p.data.normal_(0, 0.2)
        if "lora_" in name:
            p.data = p.data.float().double()
    to = directory / "adapter"
    model.save_pretrained(to)
    (to / "README.md").unlink(missing_ok=True)
    weights = to / "adapter_model.safetensors"
    save_file({n: t.float() for n, t in load_file(weights).items()}, weights, metadata={"format": "pt"})
    path = to / "adapter_config.json"
    path.write_text(path.read_text().replace(str(directory), directory.name))
    out = model(ids, labels=labels)
    out.loss.backward()
    tensors = {"grad." + n.removeprefix("base_model.model.").replace(".default", ""): p.grad.float().contiguous()
               for n, p in model.named_parameters() if p.grad is not None}
    tensors["logits"] = out.logits.detach().float().contiguous()
    tensors["loss"] = out.loss.detach().float().reshape(1)
    save_file(tensors, to / "golden.safetensors")


def main():
    here = pathlib.Path(__file__).parent
    for seed, (family, (config, dtype)) in enumerate(FAMILIES.items()):
        torch.manual_seed(seed)
        config._attn_implementation = "eager"
        model = AutoModelForCausalLM.from_config(config)
        randomize(model)
        directory = here / family
        model.to(dtype).save_pretrained(directory, max_shard_size="16KB" if family in SHARDED else "5GB")
        if family in OLD_FORM:
            to_old_form(directory)

        model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float64, attn_implementation="eager").eval()
        ids = torch.randint(3, config.vocab_size, (ROWS, TIME))
        labels = ids.clone()
        labels[:, :PROMPT] = -100
        labels[1, 15:] = -100
        out = model(ids, labels=labels)
        out.loss.backward()
        tensors = {"grad." + n: p.grad.float().contiguous() for n, p in model.named_parameters()}
        tensors["logits"] = out.logits.detach().float().contiguous()
        save_file(tensors, directory / "golden.safetensors")
        log_probs = out.logits.detach().log_softmax(-1)[:, :-1].gather(-1, ids[:, 1:, None])[..., 0]
        model.generation_config.eos_token_id = None
        greedy = model.generate(ids[:, :PROMPT], do_sample=False, max_new_tokens=NEW,
                                attention_mask=torch.ones(ROWS, PROMPT, dtype=torch.long))
        half = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.bfloat16, attn_implementation="eager").eval()
        rounded = half(ids, labels=labels)
        rounded.loss.backward()
        exact = torch.cat([p.grad.flatten() for p in model.parameters()])
        bfloat16 = dict(logits=(rounded.logits.double() - out.logits).pow(2).mean().sqrt().item(),
                        gradient=((torch.cat([p.grad.double().flatten() for p in half.parameters()]) - exact).norm() / exact.norm()).item())
        golden = dict(ids=ids.tolist(), trained=(labels != -100).int().tolist(), loss=out.loss.item(), prompt=PROMPT,
                      greedy=greedy[:, PROMPT:].tolist(), log_probs=log_probs.tolist(), bfloat16=bfloat16)
        (directory / "golden.json").write_text(json.dumps(golden) + "\n")
        (directory / "generation_config.json").unlink(missing_ok=True)
        if family in ADAPTERS:
            write_adapter(directory, ADAPTERS[family], ids, labels)


if __name__ == "__main__":
    main()
