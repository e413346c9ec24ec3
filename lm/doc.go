// Package lm is the language model: a Llama/Qwen3-style decoder as GoMLX graphs (RMSNorm, rotary positions, grouped-query attention,
// SwiGLU, optional qk-norm and biases), its parameters on the device, and generation with a key-value cache, as one device program or in
// chunks with the cache kept between them.
//
// lm/hf reads and writes Hugging Face directories, lm/tokenizer turns text into ids. It may import device and gomlx's graph package.
package lm
