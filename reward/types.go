package reward

// Sample is one response to one prompt, with what is needed to judge it.
type Sample struct {
	Prompt   string `json:"prompt"`
	Response string `json:"response"` // decoded text without the end-of-text token
	Gold     string `json:"gold,omitempty"`
	// Meta is the problem's: "answer" names the form of the answer (see CorrectOptions), "words" the required words.
	Meta      map[string]string `json:"meta,omitempty"`
	Finished  bool              `json:"finished"`             // ended by end-of-text, not cut at MaxTokens
	Tokens    int               `json:"tokens"`               // length of the response in tokens
	MaxTokens int               `json:"max_tokens,omitempty"` // the limit it was sampled under, in tokens
}

// Verdict says what the judge can vouch for.
type Verdict string

const (
	// Correct: every part that decides (`correct`, `code`) gave its full value.
	Correct Verdict = "correct"
	// Wrong: the sample was judged and is not right.
	Wrong Verdict = "wrong"
	// Error: a part could not judge; says nothing about the sample.
	Error Verdict = "error"
	// Ungraded: the reward has no part that decides, so there is nothing to be right about.
	Ungraded Verdict = "ungraded"
)

// Score is the judgement of one sample.
type Score struct {
	Verdict Verdict `json:"verdict"`
	Reward  float64 `json:"reward"` // finite; the sum of Parts; 0 when Verdict is Error
	// Parts holds each part's contribution (weight*value, bounded) by kind; a second part of a kind is "kind#2".
	Parts  map[string]float64 `json:"parts,omitempty"`
	Answer string             `json:"answer,omitempty"` // the answer that the first part that decides found, normalised for voting
	Detail string             `json:"detail,omitempty"` // why the verdict is Error, or why the answer is wrong where that is known
}
