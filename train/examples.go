package train

// Demo is a demonstration in tokens: the response ends with the end-of-text token.
type Demo struct{ Prompt, Response []int32 }

// Demonstrations turns demonstrations into examples for the SFT objective. Each target token has the weight 1/(number of target tokens), so
// the loss is the token mean over the whole update. With maskPrompt only the response is trained, else also the prompt after its first token.
func Demonstrations(demos []Demo, maskPrompt bool) []Example {
	total := 0
	for _, d := range demos {
		total += len(d.Response)
		if !maskPrompt {
			total += len(d.Prompt) - 1
		}
	}
	weight := 1 / float32(max(1, total))
	out := make([]Example, len(demos))
	for i, d := range demos {
		tokens := append(append(make([]int32, 0, len(d.Prompt)+len(d.Response)), d.Prompt...), d.Response...)
		weights := make([]float32, len(tokens))
		first := len(d.Prompt)
		if !maskPrompt {
			first = 1
		}
		for j := first; j < len(weights); j++ {
			weights[j] = weight
		}
		out[i] = Example{Tokens: tokens, Weight: weights}
	}
	return out
}
