// Package reward judges what a model wrote: it extracts answers, compares them with the gold answer and adds up the
// parts of a reward. Its one responsibility is the map (sample, settings) -> score; it never generates and never trains.
//
// It may import the standard library, its own packages (check, mathanswer, code, sandbox, overlap, ifeval) and go.yaml.in/yaml/v3 (a reward is written in a recipe's YAML); never lm, rollout or tasks.
//
// A reward is a list of parts, each a kind with a weight and the kind's own options:
//
//	reward: [{correct: 1.0, answer: hash, finished: true}, {format: 0.1, bound: [0, 0.1], pattern: "#[0-9]{2}$"}]
//
// Every part maps a sample to a value, in [0, 1] for the built-in kinds; the part contributes weight*value, cut to its bound where it
// has one, and the reward is the sum of the contributions. A part that cannot judge (it has no gold answer, it panics, it
// returns NaN, it runs past the deadline) makes the verdict Error, and an error is never Wrong: callers leave such a sample out
// of the update instead of teaching the model that it was mistaken.
//
// A `service` part asks somebody's own reward function over HTTP (service.go).
package reward
