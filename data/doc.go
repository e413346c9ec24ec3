// Package data decides what to train on: which problems are worth their compute (LIMR), which new ones to make from the failures of
// a run (SwS), and how token sequences share the rows of a batch (packing). All of it is arithmetic on logs and lengths; calling a
// model is the caller's work.
//
// It may import the standard library and tasks; never lm, rollout, train or Temporal.
package data
