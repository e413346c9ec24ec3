"""TRL's GRPOTrainer on stories260K: python trl_stories.py MODEL STEPS SEED; prints {"seconds": [...], "total": ..., "curve": [...]}.

8 prompts × 8 samples × 64 tokens a step, reward: the share of distinct words. total is the trainer's run time, seconds are those between steps."""
import json
import random
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

model, steps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.manual_seed(seed)
random.seed(seed)
tokenizer = AutoTokenizer.from_pretrained(model)
tokenizer.pad_token, tokenizer.padding_side = tokenizer.unk_token, "left"
names = ["Tim", "Lily", "Ben", "Mia", "Sam", "Sue"]
things = ["a ball", "a cat", "a big box", "the park", "a red car", "a bird"]
prompts = [f"One day, {random.choice(names)} saw {random.choice(things)}." for _ in range(512)]


def distinct(completions, **_):
    return [len(set(c.lower().split())) / max(1, len(c.split())) for c in completions]


curve, stamps = [], []


class Watch(TrainerCallback):
    def on_log(self, args, state, control, logs=None, **_):
        if logs and "reward" in logs:
            curve.append(float(logs["reward"]))

    def on_step_end(self, *_, **__):
        stamps.append(time.perf_counter())


trainer = GRPOTrainer(
    model=AutoModelForCausalLM.from_pretrained(model), reward_funcs=distinct, processing_class=tokenizer,
    train_dataset=Dataset.from_dict({"prompt": prompts}), callbacks=[Watch()],
    args=GRPOConfig(output_dir="/dev/shm/temper_trl", per_device_train_batch_size=64, num_generations=8, max_completion_length=64,
                    max_steps=steps, seed=seed, logging_steps=1, report_to=[], use_cpu=True, bf16=False, beta=0.0, learning_rate=1e-3,
                    lr_scheduler_type="constant", save_strategy="no", gradient_checkpointing=False, disable_tqdm=True))
start = time.perf_counter()
trainer.train()
total = time.perf_counter() - start
print(json.dumps({"seconds": [b - a for a, b in zip(stamps, stamps[1:])], "total": total, "curve": curve}))
