package serve

import (
	"strings"
	"unicode/utf8"

	"temper/lm/tokenizer"
	"temper/serve/engine"
)

// Why an answer ended.
const (
	finishStop   = "stop"
	finishLength = "length"
)

// token is a drawn token and where its text stands.
type token struct {
	engine.Token
	offset int // characters of the answer before it
}

// delta is what an answer grew by.
type delta struct {
	text   string
	tokens []token // those whose text has begun
	finish string  // with the last: why it ended
}

// answer turns a sequence's tokens into text as they come: whole characters, up to a stop string, of which no part is ever let out.
type answer struct {
	stream *tokenizer.Stream
	stops  []string
	emit   func(delta)

	held    string  // text that may be the beginning of a stop string
	ahead   []token // tokens whose text has not begun to go out
	sent    int     // characters
	decoded int     // characters that came from the tokens, held ones included
	drawn   int     // tokens, the stop token included
	ended   bool
}

// accept takes a token (see engine.Sequence); limit is how many may come.
func (a *answer) accept(t engine.Token, limit int) (more bool) {
	a.drawn++
	if t.Stop {
		a.end(finishStop)
		return false
	}
	a.ahead = append(a.ahead, token{t, a.decoded})
	if a.grow(a.stream.Next(t.ID)) {
		return false
	}
	if a.drawn == limit {
		a.end(finishLength)
		return false
	}
	return true
}

// grow takes text that is certain and lets out what cannot belong to a stop string; stopped says that one is complete.
func (a *answer) grow(text string) (stopped bool) {
	a.decoded += utf8.RuneCountInString(text)
	a.held += text
	if at := first(a.held, a.stops); at >= 0 {
		a.held = a.held[:at]
		a.let(a.held, finishStop)
		return true
	}
	if free := len(a.held) - begun(a.held, a.stops); free > 0 {
		text := a.held[:free]
		a.held = a.held[free:]
		a.let(text, "")
	}
	return false
}

// end lets out the rest.
func (a *answer) end(finish string) {
	if !a.grow(a.stream.Flush()) {
		a.let(a.held, finish)
	}
}

// let lets text out with the tokens that begin in it; at the end of an answer that no stop string cut, with all tokens.
func (a *answer) let(text, finish string) {
	a.sent += utf8.RuneCountInString(text)
	n := 0
	for n < len(a.ahead) && a.ahead[n].offset < a.sent {
		n++
	}
	if finish != "" && a.sent == a.decoded {
		n = len(a.ahead)
	}
	a.emit(delta{text, a.ahead[:n:n], finish})
	a.ahead, a.ended = a.ahead[n:], finish != ""
}

// first is where the earliest of the stop strings begins in a text, or -1.
func first(text string, stops []string) int {
	best := -1
	for _, s := range stops {
		if at := strings.Index(text, s); at >= 0 && (best < 0 || at < best) {
			best = at
		}
	}
	return best
}

// begun is how many bytes at a text's end may be the beginning of a stop string.
func begun(text string, stops []string) int {
	longest := 0
	for _, s := range stops {
		for n := min(len(s)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, s[:n]) {
				longest = n
			}
		}
	}
	return longest
}
