package reward

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

// ErrUnavailable says that something outside which judges did not do so: nothing is known of any sample. It may be back later.
var ErrUnavailable = errors.New("the judge is not available")

const (
	// serviceBatch is how many samples a request has where a part does not say.
	serviceBatch = 64
	// serviceTries is how often a request is made, and serviceTimeout how long one may take.
	serviceTries   = 3
	serviceTimeout = 60 * time.Second
	// serviceAnswer bounds an answer in bytes.
	serviceAnswer = 16 << 20
)

// service is the judge behind a `service` part: somebody's own reward function behind HTTP. It gets
//
//	POST URL  {"samples": [{"prompt": …, "response": …, "gold": …, "meta": {…}, "finished": true, "tokens": 12, "max_tokens": 64}, …]}
//
// and answers with a number for each sample, in their order: {"rewards": [0.5, 1, null, …]}. null is a sample that it cannot judge, whose verdict
// is Error. All else is no judgement: another status than 200, no answer in time, another count of rewards, numbers such as NaN that JSON does not
// have. Then it is asked again, and after the last try the whole scoring is ErrUnavailable; no sample is called wrong for it.
type service struct {
	url    string
	batch  int
	client *http.Client
	pause  time.Duration // before the second try; then twice as long
}

func newService(p PartSpec) *service {
	s := &service{url: p.URL, batch: p.Batch, client: &http.Client{Timeout: time.Duration(p.TimeoutSeconds * float64(time.Second))}, pause: 500 * time.Millisecond}
	if s.batch == 0 {
		s.batch = serviceBatch
	}
	if s.client.Timeout == 0 {
		s.client.Timeout = serviceTimeout
	}
	return s
}

// validateURL refuses what cannot be asked.
func validateURL(kind, text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return fmt.Errorf("reward: %s: url: must be given", kind)
	case err != nil:
		return fmt.Errorf("reward: %s: url: %w", kind, err)
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		return fmt.Errorf("reward: %s: url: %q is no http or https address", kind, text)
	case u.User != nil:
		return fmt.Errorf("reward: %s: url: must not hold a password; pipelines are kept in histories", kind)
	}
	return nil
}

// judged is what a service says of a sample: a value, or nil where it cannot judge.
type judged = *float64

// judge asks for all samples, some at a time.
func (s *service) judge(ctx context.Context, samples []Sample) ([]judged, error) {
	var out []judged
	for len(samples) > 0 {
		n := min(s.batch, len(samples))
		got, err := s.patiently(ctx, samples[:n])
		if err != nil {
			return nil, err
		}
		out, samples = append(out, got...), samples[n:]
	}
	return out, nil
}

func (s *service) patiently(ctx context.Context, samples []Sample) ([]judged, error) {
	pause := s.pause
	for try := 1; ; try++ {
		out, err := s.ask(ctx, samples)
		switch {
		case err == nil:
			return out, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case try == serviceTries:
			return nil, fmt.Errorf("%w: %s, asked %d times: %w", ErrUnavailable, s.url, try, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause + rand.N(pause)):
		}
		pause *= 2
	}
}

func (s *service) ask(ctx context.Context, samples []Sample) ([]judged, error) {
	body, err := json.Marshal(map[string]any{"samples": samples})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, serviceAnswer))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answers %s: %s", answer.Status, clip(string(text)))
	}
	var got struct {
		Rewards []judged `json:"rewards"`
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return nil, fmt.Errorf("answers %q: %w", clip(string(text)), err)
	}
	if len(got.Rewards) != len(samples) {
		return nil, fmt.Errorf("answers with %d rewards for %d samples", len(got.Rewards), len(samples))
	}
	return got.Rewards, nil
}
