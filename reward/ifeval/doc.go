// Package ifeval checks whether a response follows verifiable instructions: the 25 kinds of IFEval (Instruction-Following Evaluation for Large Language
// Models, arXiv 2311.07911), strictly and loosely, by their ids and arguments in the published data.
//
// Deviations from the published program: sentences are found by rules (sentences.go) instead of a trained Punkt model, languages by scripts and frequent
// words (language.go) instead of langdetect, keywords are texts rather than regular expressions, and an argument that is missing is an error instead
// of a random one.
//
// It imports the standard library only.
package ifeval
