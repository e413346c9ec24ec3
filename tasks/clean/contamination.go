package clean

// Evaluation is what evaluations ask, by runs of words: a text that has one of them in common is contaminated (GPT-3, arXiv 2005.14165, appendix C,
// with n between 8 and 13). A question of fewer words has to be there as a whole. Words that many questions have in common are how they are put, and
// do not count.
type Evaluation struct {
	n     int
	names []string           // of the questions
	grams map[string][]int32 // by the words: the questions that have them
	short map[int]bool       // lengths of questions of fewer words than n
}

// phrase says whether so many questions have words in common that they are not any one's own: more than three, and than one in a hundred.
func (e *Evaluation) phrase(questions []int32) bool {
	return len(questions) > max(3, len(e.names)/100)
}

// DefaultWords is the n that GPT-3 used.
const DefaultWords = 13

// NewEvaluation compares runs of n words, at least 1.
func NewEvaluation(n int) *Evaluation {
	return &Evaluation{n: n, grams: map[string][]int32{}, short: map[int]bool{}}
}

// Add adds a question under a name.
func (e *Evaluation) Add(name, text string) {
	ws := Words(text)
	question := int32(len(e.names))
	e.names = append(e.names, name)
	if len(ws) < e.n {
		e.short[len(ws)] = true
	}
	grams(ws, e.n, func(text string) {
		if have := e.grams[text]; len(have) == 0 || have[len(have)-1] != question {
			e.grams[text] = append(have, question)
		}
	})
}

// Find gives the name of a question that a text has a run of words in common with, and the words.
func (e *Evaluation) Find(text string) (name, common string, found bool) {
	e.Each(text, func(words string, questions []int32) {
		if !found {
			name, common, found = e.names[questions[0]], words, true
		}
	})
	return name, common, found
}

// Each calls f with each run of words that a text has in common with questions, and the numbers of these, in the order in which they were added.
func (e *Evaluation) Each(text string, f func(words string, questions []int32)) {
	ws := Words(text)
	n := e.n
	if len(ws) < n {
		// A short question is contamination only where it is the whole text: a few words stand in many.
		if n = len(ws); !e.short[n] {
			return
		}
	}
	grams(ws, n, func(words string) {
		if questions := e.grams[words]; len(questions) > 0 && !e.phrase(questions) {
			f(words, questions)
		}
	})
}
