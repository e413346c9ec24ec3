"""TRL's SFTTrainer on stories260K: python trl_sft_stories.py MODEL TEXTS SEED; prints {"seconds": …, "loss": …, "tokens": …}.

TEXTS has a JSON object with "prompt" and "completion" a line. Two epochs of packed rows, 16 of 256 tokens a step, loss on the completions.
seconds are the trainer's run time: what it does before (tokenizing, packing) is left out. The packing is "wrapped": TRL's default makes one
row of a batch's 4096 tokens, whose attention takes several times as long on a CPU."""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import torch
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import SFTConfig, SFTTrainer

model, texts, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.manual_seed(seed)
tokenizer = AutoTokenizer.from_pretrained(model)
tokenizer.pad_token = tokenizer.unk_token
with open(texts) as f:
    rows = [json.loads(line) for line in f]
trainer = SFTTrainer(
    model=AutoModelForCausalLM.from_pretrained(model), processing_class=tokenizer, train_dataset=Dataset.from_list(rows),
    args=SFTConfig(output_dir="/dev/shm/temper_trl_sft", per_device_train_batch_size=16, num_train_epochs=2, max_length=256, packing=True, packing_strategy="wrapped",
                   completion_only_loss=True, learning_rate=5e-4, lr_scheduler_type="linear", warmup_steps=0, seed=seed, logging_steps=10,
                   report_to=[], use_cpu=True, bf16=False, save_strategy="no", gradient_checkpointing=False, disable_tqdm=True))
start = time.perf_counter()
result = trainer.train()
print(json.dumps({"seconds": time.perf_counter() - start, "loss": result.training_loss, "steps": result.global_step,
                  "rows": len(trainer.train_dataset), "log": trainer.state.log_history[-2].get("loss")}))
