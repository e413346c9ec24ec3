package clean

// Evaluation is what evaluations ask, by runs of words: a text that has one of them in common is contaminated (GPT-3, arXiv 2005.14165, appendix C,
// with n between 8 and 13). A question of fewer words has to be there as a whole. Words that many questions have in common are how they are put, and
// do not count.
type Evaluation struct {
	n         int
	questions int
	grams     map[string]*gram // by the words
	short     map[int]bool     // lengths of questions of fewer words than n
}

// gram is a run of words.
type gram struct {
	name      string // of the first question that has it
	questions int    // that have it
	last      int    // of these, by number
}

// phrase says whether so many questions have words in common that they are not any one's own: more than three, and than one in a hundred.
func (e *Evaluation) phrase(g *gram) bool { return g.questions > max(3, e.questions/100) }

// DefaultWords is the n that GPT-3 used.
const DefaultWords = 13

// NewEvaluation compares runs of n words, at least 1.
func NewEvaluation(n int) *Evaluation {
	return &Evaluation{n: n, grams: map[string]*gram{}, short: map[int]bool{}}
}

// Add adds a question under a name.
func (e *Evaluation) Add(name, text string) {
	ws := Words(text)
	e.questions++
	if len(ws) < e.n {
		e.short[len(ws)] = true
	}
	grams(ws, e.n, func(text string) {
		g := e.grams[text]
		if g == nil {
			g = &gram{name: name}
			e.grams[text] = g
		}
		if g.last != e.questions {
			g.questions, g.last = g.questions+1, e.questions
		}
	})
}

// Find gives the name of a question that a text has a run of words in common with, and the words.
func (e *Evaluation) Find(text string) (name, common string, found bool) {
	ws := Words(text)
	look := func(n int) {
		grams(ws, n, func(text string) {
			if g := e.grams[text]; g != nil && !found && !e.phrase(g) {
				name, common, found = g.name, text, true
			}
		})
	}
	if len(ws) >= e.n {
		look(e.n)
	}
	// A short question is contamination only where it is the whole text: a few words stand in many.
	if !found && len(ws) < e.n && e.short[len(ws)] {
		look(len(ws))
	}
	return name, common, found
}
