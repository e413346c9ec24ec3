// Package mathanswer says whether two final answers to a problem in mathematics mean the same: LaTeX or plain numbers, fractions, surds, powers,
// percentages, quantities with units, sets, lists, tuples, intervals, matrices, equations, inequalities, formulas, choices and words.
// docs/verifiers.md says what is accepted, what is exact and what is numeric.
//
// It may import the standard library only. It is deterministic, keeps no state, and bounds its work by limits on length, nesting and steps, so
// that no input takes more than linear time.
package mathanswer
