package reward

// Sample is one response to one prompt, with what is needed to judge it.
type Sample struct {
	Prompt   string `json:"prompt"`
	Response string `json:"response"` // decoded text without the end-of-text token
	Gold     string `json:"gold,omitempty"`
	// Meta is the problem's: "answer" names the form of the answer (see PartSpec.Answer), "words" the required words.
	Meta      map[string]string `json:"meta,omitempty"`
	Finished  bool              `json:"finished"`             // ended by end-of-text, not cut at MaxTokens
	Tokens    int               `json:"tokens"`               // length of the response in tokens
	MaxTokens int               `json:"max_tokens,omitempty"` // the limit it was sampled under, in tokens
}

// Verdict says what the judge can vouch for.
type Verdict string

const (
	// Correct: every `correct` part gave its full value.
	Correct Verdict = "correct"
	// Wrong: the sample was judged and is not right.
	Wrong Verdict = "wrong"
	// Error: a part could not judge; says nothing about the sample.
	Error Verdict = "error"
	// Ungraded: the reward has no `correct` part, so there is nothing to be right about.
	Ungraded Verdict = "ungraded"
)

// Score is the judgement of one sample.
type Score struct {
	Verdict Verdict `json:"verdict"`
	Reward  float64 `json:"reward"` // finite; the sum of Parts; 0 when Verdict is Error
	// Parts holds each part's contribution (weight*value, bounded) by kind; a second part of a kind is "kind#2".
	Parts  map[string]float64 `json:"parts,omitempty"`
	Answer string             `json:"answer,omitempty"` // the answer that the first `correct` part found, normalised for voting
	Detail string             `json:"detail,omitempty"` // why the verdict is Error, or that there was no answer
}

// PartSpec is one part of a reward as written in YAML or JSON: `{KIND: WEIGHT, option: value, …}`.
// Options that its kind does not have are refused.
type PartSpec struct {
	Kind   string    // correct, format, length, repetition, distinct, required_words, service
	Weight float64   // factor of the part's value
	Bound  []float64 // optional [lo, hi] for the contribution weight*value

	// Answer (correct) is where the answer stands in the response: hash (after the last '#'), gsm8k (after '####',
	// compared as a number), boxed (in the last \boxed{…}), math (found and compared by package mathanswer, as values rather than as
	// text), checked (in the last \boxed{…}, judged by the problem's checker, Meta["check"], of package check), exact (the whole response),
	// auto (default: the problem's Meta["answer"]; without it by the markers found in the response, boxed before gsm8k before hash before exact).
	Answer string
	// Finished (correct) also requires that the response ended by itself.
	Finished bool

	// Pattern (format) is a regular expression (RE2) that must match somewhere in the response.
	Pattern string

	// Shape (length) is target (1 at Target, falling linearly to 0 at a distance of Target), linear (1 at 0, 0 at Max) or
	// cosine (the same ends along half a cosine).
	Shape string
	// Unit (length) is tokens (default) or words.
	Unit string
	// Target (length, shape target) in units.
	Target float64
	// Max (length, shapes linear and cosine) in units; 0 with unit tokens means the sample's MaxTokens.
	Max float64

	// N (repetition) is the number of words of an n-gram; default 3.
	N int

	// URL (service) is asked for the values of Batch samples at a time, 64 by default, and may take TimeoutSeconds for them, 60 by default.
	URL            string
	Batch          int
	TimeoutSeconds float64
}
