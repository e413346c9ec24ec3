package serve

import (
	"context"

	"temper/serve/engine"
)

// Asking says how one answer is generated.
type Asking struct {
	MaxTokens   int // 0: as many as the context holds
	Temperature float64
	TopP        float64
	Seed        uint64
	Continue    bool // the answer's text goes on from the prompt's, as in a completion
}

// Ask generates one answer to a prompt and hands its text out as it comes. When ctx ends it returns the context's error; what was written
// until then stands.
func (m *Model) Ask(ctx context.Context, prompt []int32, o Asking, write func(text string) error) error {
	room := m.Engine.Context() - len(prompt)
	more := o.MaxTokens
	if more == 0 {
		more = max(1, room)
	}
	if more > room {
		return tooLong("", m.Engine.Context(), len(prompt), more)
	}
	f := newFeed()
	var before []int32
	if o.Continue {
		before = prompt
	}
	a := m.answer(before, nil, func(d delta) { f.push(event{delta: d}) })
	j, err := m.Engine.Submit(ctx, []*engine.Sequence{{Prompt: prompt, MaxNew: more, Key: engine.Key(o.Seed, 0, 0), Temperature: o.Temperature, TopP: o.TopP,
		Accept: func(t engine.Token) bool { return a.accept(t, more) }}})
	if err != nil {
		return err
	}
	for running := true; running; {
		select {
		case <-f.ready:
		case <-j.Done():
			running = false
		}
		for _, e := range f.take() {
			if err := write(e.text); err != nil {
				return err
			}
		}
	}
	return j.Err()
}

// Warm compiles what the first request needs, so that it does not wait for it.
func (m *Model) Warm(ctx context.Context) error {
	id := int32(0)
	if bos, ok := m.Tokenizer.BOS(); ok {
		id = bos
	}
	return m.Ask(ctx, []int32{id}, Asking{MaxTokens: 1, TopP: 1}, func(string) error { return nil })
}
