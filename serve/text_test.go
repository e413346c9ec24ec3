package serve

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/lm/tokenizer"
	"temper/serve/engine"
)

// cutAt is where a text that comes character by character is cut: where the stop string that is complete first begins, the longest of those that
// are complete at once. A longer one that would have begun before it but is not complete yet does not count.
func cutAt(text string, stops []string) int {
	for end := range len(text) + 1 {
		at := len(text)
		for _, s := range stops {
			if strings.HasSuffix(text[:end], s) {
				at = min(at, end-len(s))
			}
		}
		if at < len(text) {
			return at
		}
	}
	return len(text)
}

// Whatever the text, its tokens and the stop strings: what is let out, joined, is the text before the first stop string; each part is whole
// characters, and no token is said before its text has begun nor lost.
func TestAnswerIsTheTextBeforeTheFirstStop(t *testing.T) {
	letters := rapid.SampledFrom([]rune("abé😀"))
	for name, tok := range map[string]*tokenizer.Tokenizer{"bytes": tokenizer.Bytes(), "chars": tokenizer.Chars("abé😀")} {
		t.Run(name, func(t *testing.T) {
			m := &Model{Tokenizer: tok}
			rapid.Check(t, func(t *rapid.T) {
				text := rapid.StringOfN(letters, 1, 40, -1).Draw(t, "text")
				stops := rapid.SliceOfN(rapid.StringOfN(letters, 1, 4, -1), 0, 3).Draw(t, "stops")
				ids := tok.Encode(text, tokenizer.Options{})
				var got strings.Builder
				var said []token
				finish := ""
				a := m.answer(nil, stops, func(d delta) {
					require.True(t, utf8.ValidString(d.text), "%q", d.text)
					require.Empty(t, finish, "nothing comes after the end")
					got.WriteString(d.text)
					said = append(said, d.tokens...)
					finish = d.finish
					for _, x := range d.tokens {
						require.LessOrEqual(t, x.offset, utf8.RuneCountInString(got.String()))
					}
				})
				for _, id := range ids {
					if !a.accept(engine.Token{Choice: engine.Choice{ID: id}}, len(ids)) {
						break
					}
				}
				at := cutAt(text, stops)
				require.Equal(t, text[:at], got.String())
				if at < len(text) {
					require.Equal(t, finishStop, finish)
				} else {
					require.Equal(t, finishLength, finish)
				}
				offset := 0
				for i, x := range said {
					require.Equal(t, ids[i], x.ID)
					require.GreaterOrEqual(t, x.offset, offset)
					offset = x.offset
				}
				if at == len(text) {
					require.Len(t, said, len(ids), "all tokens of a text that no stop string cuts")
				}
			})
		})
	}
}

// A stop token ends an answer with all that was held back.
func TestStopTokenLetsGoOfWhatIsHeld(t *testing.T) {
	tok := tokenizer.Chars("ab")
	m, got, finish := &Model{Tokenizer: tok}, "", ""
	a := m.answer(nil, []string{"abab"}, func(d delta) { got, finish = got+d.text, d.finish })
	for _, id := range tok.Encode("aba", tokenizer.Options{}) {
		require.True(t, a.accept(engine.Token{Choice: engine.Choice{ID: id}}, 10))
	}
	require.Empty(t, got, "it may all be a stop string")
	require.False(t, a.accept(engine.Token{Choice: engine.Choice{ID: 2}, Stop: true}, 10))
	require.Equal(t, "aba", got)
	require.Equal(t, finishStop, finish)
	require.Equal(t, 4, a.drawn)
}

// No request's body can do worse than be refused.
func FuzzRequests(f *testing.F) {
	for _, body := range []string{`{"model":"m","prompt":[[1,2],[3]],"stop":["a"],"logprobs":3}`, `{"messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"chat_template_kwargs":{"a":1}}`,
		`{"stop":{}}`, `[]`, `{"prompt":[1.5]}`, `{"n":1e99}`} {
		f.Add([]byte(body))
	}
	m := &Model{Tokenizer: tokenizer.Chars("abc")}
	f.Fuzz(func(t *testing.T, body []byte) {
		var c completionRequest
		if decode(body, &c) == nil {
			_ = c.check()
			_, _ = m.prompts(c.Prompt)
		}
		var q chatRequest
		if decode(body, &q) == nil {
			_ = q.check()
			_, _ = checkMessages(q.Messages)
			_, _ = checkVariables(q.Variables)
		}
	})
}
