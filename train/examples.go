package train

// Demo is a demonstration in tokens: the response ends with the end-of-text token.
type Demo struct {
	Prompt, Response []int32
	Untrained        []bool `json:",omitempty"` // of Response, what others than the model wrote, such as later turns of a user; nil: none
}

// trains tells whether token i, of prompt and response together, is trained.
func (d Demo) trains(i int, maskPrompt bool) bool {
	own := i - len(d.Prompt)
	return i > 0 && (!maskPrompt || own >= 0 && (d.Untrained == nil || !d.Untrained[own]))
}

// Demonstrations turns demonstrations into examples for the SFT objective. Each target token has the weight 1/(number of target tokens), so
// the loss is the token mean over the whole update. With maskPrompt only the response is trained, without what is marked as untrained, else all tokens after the first.
func Demonstrations(demos []Demo, maskPrompt bool) []Example {
	total := 0
	for _, d := range demos {
		for i := range len(d.Prompt) + len(d.Response) {
			if d.trains(i, maskPrompt) {
				total++
			}
		}
	}
	weight := 1 / float32(max(1, total))
	out := make([]Example, len(demos))
	for i, d := range demos {
		tokens := append(append(make([]int32, 0, len(d.Prompt)+len(d.Response)), d.Prompt...), d.Response...)
		weights := make([]float32, len(tokens))
		for j := range weights {
			if d.trains(j, maskPrompt) {
				weights[j] = weight
			}
		}
		out[i] = Example{Tokens: tokens, Weight: weights}
	}
	return out
}
