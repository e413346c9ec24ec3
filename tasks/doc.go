// Package tasks provides the problems that models learn and are measured on: procedural generators and readers of files. Its one
// responsibility is to turn a Source (a few lines of YAML) into a list of Problems, the same list every time.
//
// It may import the standard library; never lm, rollout, reward or anything that trains.
//
// # chain
//
// Arithmetic on two-digit numbers 00..99, one operation after another. A concept is an operation, the difficulty is the number of steps.
//
//	prompt         23a45b12?
//	demonstration  23a45=68;68b12=56#56
//	answer         56
//
// The operations, with x the running value and y the operand:
//
//	a  (x + y) mod 100
//	b  (x - y) mod 100, never negative
//	c  (x + 11) mod 100 when y is odd, (x + 5) mod 100 when it is even
//	d  the tens digit of x with the units digit of y
//	e  the tens digit of y with the units digit of x
//	f  the units digit of x as tens, the tens digit of y as units
//	m  the larger of x and y
//	n  the smaller of x and y
//
// With tag the prompt starts with its distinct operations in order, "ab:23a45b12?", so that a model trained on it can write
// problems for given concepts when it is prompted with "ab:". Problem i of a seed depends on (seed, i) and the settings alone.
// Noise, direct and mislabel spoil what is taught, not what is asked: Noise makes steps of the demonstration wrong (the answer
// stays right), direct drops its steps, and mislabel replaces the answer itself, as a careless annotator would; Meta["noisy"] and
// Meta["mislabelled"] say "true" where it happened.
//
// # stories
//
// "One day, Tim saw a ball." is to be continued. There are 36 prompts (six names, six things), so a long list repeats them and
// its IDs carry the index. A concept is a thing, the difficulty is how many words are required, in Meta["words"], drawn from
// a fixed list of the thing. There is no right answer; the demonstration is a short story built from templates that has the
// required words.
//
// # files
//
// JSON lines, plain or gzipped, in the form of GSM8K or any other with the fields named in the Source.
package tasks
