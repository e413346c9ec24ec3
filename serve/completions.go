package serve

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"
	"unicode/utf8"

	"temper/serve/engine"
)

// completionRequest is the body of POST /v1/completions.
type completionRequest struct {
	sampling
	Prompt   json.RawMessage `json:"prompt"`
	Echo     bool            `json:"echo"`
	LogProbs *int            `json:"logprobs"`
	BestOf   *int            `json:"best_of"`
	Suffix   string          `json:"suffix"`
}

type completion struct {
	ID          string             `json:"id"`
	Object      string             `json:"object"`
	Created     int64              `json:"created"`
	Model       string             `json:"model"`
	Fingerprint string             `json:"system_fingerprint,omitempty"`
	Choices     []completionChoice `json:"choices"`
	Usage       *usage             `json:"usage,omitempty"`
}

type completionChoice struct {
	Index    int                 `json:"index"`
	Text     string              `json:"text"`
	LogProbs *completionLogProbs `json:"logprobs"`
	Finish   *string             `json:"finish_reason"`
}

// defaultMaxTokens is how many tokens a completion has at most when the request does not say.
const defaultMaxTokens = 16

// completionJob is a completion request under way.
type completionJob struct {
	*completionRequest
	server  *Server
	head    completion // of each part of the answer
	prompts []prompt
	echoes  []echo
	maxNew  int
	feed    *feed
	answers []*answer
}

// echo is what goes before the answers to a prompt.
type echo struct {
	text     string
	length   int // characters
	logProbs *completionLogProbs
}

func (s *Server) completions(w http.ResponseWriter, r *http.Request) error {
	c := &completionJob{completionRequest: &completionRequest{}, server: s, feed: newFeed()}
	if err := body(w, r, c.completionRequest); err != nil {
		return err
	}
	if err := s.serves(c.Model); err != nil {
		return err
	}
	if e := c.read(); e != nil {
		return e
	}
	c.head = completion{ID: "cmpl-" + rand.Text(), Object: "text_completion", Created: time.Now().Unix(), Model: s.model.Name, Fingerprint: s.options.Fingerprint}
	if err := c.echo(r.Context()); err != nil {
		return err
	}
	j, err := s.model.Engine.Submit(r.Context(), c.sequences())
	if err != nil {
		return err
	}
	if c.Stream {
		return c.stream(w, r, j)
	}
	<-j.Done()
	if err := j.Err(); err != nil {
		return err
	}
	s.write(w, http.StatusOK, c.whole())
	return nil
}

// read checks the request.
func (c *completionJob) read() (e *apiError) {
	m := c.server.model
	if e := c.check(); e != nil {
		return e
	}
	if c.prompts, e = m.prompts(c.Prompt); e != nil {
		return e
	}
	c.maxNew = or(c.MaxTokens, defaultMaxTokens)
	switch {
	case c.maxNew < 0:
		return invalid("max_tokens", "max_tokens must be at least 0, is %d", c.maxNew)
	case or(c.LogProbs, 0) < 0 || or(c.LogProbs, 0) > engine.MaxTop:
		return invalid("logprobs", "logprobs must be between 0 and %d, is %d", engine.MaxTop, *c.LogProbs)
	case c.BestOf != nil && *c.BestOf != or(c.N, 1):
		return invalid("best_of", "best_of is not supported, other than as many as n")
	case c.Suffix != "":
		return invalid("suffix", "suffix is not supported")
	case len(c.prompts)*or(c.N, 1) > m.Engine.MaxWaiting():
		return invalid("n", "%d prompts and n of %d are more than the %d sequences that may wait", len(c.prompts), or(c.N, 1), m.Engine.MaxWaiting())
	}
	for _, p := range c.prompts {
		if n := len(p.tokens); n+c.maxNew > m.Engine.Context() {
			param := "max_tokens"
			if n >= m.Engine.Context() {
				param = "prompt"
			}
			return tooLong(param, m.Engine.Context(), n, c.maxNew)
		}
	}
	return nil
}

// echo scores the prompts where they are to be echoed with log-probabilities.
func (c *completionJob) echo(ctx context.Context) error {
	c.echoes = make([]echo, len(c.prompts))
	if !c.Echo {
		return nil
	}
	m := c.server.model
	for i, p := range c.prompts {
		e := echo{text: p.text, length: utf8.RuneCountInString(p.text)}
		if c.LogProbs != nil {
			score, err := m.Engine.Score(ctx, p.tokens, *c.LogProbs)
			if err != nil {
				return err
			}
			e.logProbs = &completionLogProbs{}
			_, offsets := m.offsets(p.tokens)
			e.logProbs.add(m, p.tokens[0], nil, nil, 0)
			for t, id := range p.tokens[1:] {
				e.logProbs.add(m, id, &score.LogProbs[t], score.Top[t], offsets[t+1])
			}
		}
		c.echoes[i] = e
	}
	return nil
}

func (c *completionJob) sequences() []*engine.Sequence {
	m, seed := c.server.model, c.seed()
	var all []*engine.Sequence
	for i, p := range c.prompts {
		sequences, answers := c.sampling.sequences(m, c.feed, p.tokens, p.tokens, i, c.maxNew, or(c.LogProbs, 0), seed)
		c.answers = append(c.answers, answers...)
		if c.maxNew > 0 {
			all = append(all, sequences...)
			continue
		}
		for _, a := range answers {
			a.end(finishLength)
		}
	}
	return all
}

// choice makes a part of an answer.
func (c *completionJob) choice(e event) completionChoice {
	out := completionChoice{Index: e.choice, Text: e.text}
	if c.LogProbs != nil {
		out.LogProbs = (&completionLogProbs{}).joined(nil)
		out.LogProbs.tokens(c.server.model, e.tokens, c.echoOf(e.choice).length)
	}
	if e.finish != "" {
		out.Finish = &e.finish
	}
	return out
}

func (c *completionJob) echoOf(choice int) echo { return c.echoes[choice/or(c.N, 1)] }

// echoed is the choice that goes before an answer's text.
func (c *completionJob) echoed(choice int) completionChoice {
	e := c.echoOf(choice)
	return completionChoice{Index: choice, Text: e.text, LogProbs: e.logProbs}
}

func (c *completionJob) usage() usage {
	n := 0
	for _, p := range c.prompts {
		n += len(p.tokens)
	}
	return usageOf(n, c.answers)
}

// whole is the answer to a request that does not stream: its parts put together.
func (c *completionJob) whole() completion {
	out := c.head
	for i := range c.answers {
		out.Choices = append(out.Choices, c.echoed(i))
	}
	for _, e := range c.feed.take() {
		part, to := c.choice(e), &out.Choices[e.choice]
		to.Text += part.Text
		if part.LogProbs != nil {
			to.LogProbs = to.LogProbs.joined(part.LogProbs)
		}
		if part.Finish != nil {
			to.Finish = part.Finish
		}
	}
	u := c.usage()
	out.Usage = &u
	return out
}

func (c *completionJob) stream(w http.ResponseWriter, r *http.Request, j engine.Job) error {
	part := func(choice completionChoice) any {
		out := c.head
		out.Choices = []completionChoice{choice}
		return out
	}
	var first []any
	for i := range c.answers {
		if c.Echo {
			first = append(first, part(c.echoed(i)))
		}
	}
	return c.server.stream(w, r, j, c.feed, first, func(e event) any { return part(c.choice(e)) }, func() any {
		if c.StreamOptions == nil || !c.StreamOptions.IncludeUsage {
			return nil
		}
		out, u := c.head, c.usage()
		out.Choices, out.Usage = []completionChoice{}, &u
		return out
	})
}
