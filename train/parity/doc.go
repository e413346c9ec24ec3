// Package parity holds the engine against transformers: logits, log-probabilities, greedy text and gradients of tiny random checkpoints of
// every family, whose reference values testdata/reference.py computed in float64. It has tests only.
package parity
