package reward

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
)

// serviceBatch is how many samples a request has where a part does not say.
const serviceBatch = 64

// service is the judge behind a `service` part: somebody's own reward function behind HTTP. It gets
//
//	POST URL  {"samples": [{"prompt": …, "response": …, "gold": …, "meta": {…}, "finished": true, "tokens": 12, "max_tokens": 64}, …]}
//
// and answers with a number for each sample, in their order: {"rewards": [0.5, 1, null, …]}. null is a sample that it cannot judge, whose verdict
// is Error. All else is no judgement: another status than 200, no answer in time, another count of rewards, numbers such as NaN that JSON does not
// have. Then it is asked again, and after the last try the whole scoring is ErrUnavailable; no sample is called wrong for it.
type service struct {
	remote *remote
	batch  int
}

var serviceKind = kind{name: "service", gives: "what somebody's own reward function answers over HTTP", lo: math.Inf(-1), hi: math.Inf(1), blank: func() Options { return new(ServiceOptions) }}

// ServiceOptions are the options of `service`.
type ServiceOptions struct {
	URL            string  `option:"url" about:"address that is asked"`
	Batch          int     `option:"batch" about:"samples at a time, 64 by default"`
	TimeoutSeconds float64 `option:"timeout_seconds" about:"for a request, 60 by default"`
}

func (o *ServiceOptions) check(bad report) {
	checkURL(bad, o.URL)
	atLeastOne(bad, "batch", o.Batch)
	notNegative(bad, "timeout_seconds", o.TimeoutSeconds)
}

func (o *ServiceOptions) build() (judge, error) {
	s := &service{remote: newRemote(o.URL, o.TimeoutSeconds), batch: or(o.Batch, serviceBatch)}
	return judge{outside: s.judge, remote: s.remote}, nil
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

// patiently asks for some samples.
func (s *service) patiently(ctx context.Context, samples []Sample) ([]judged, error) {
	body, err := json.Marshal(map[string]any{"samples": samples})
	if err != nil {
		return nil, err
	}
	var out []judged
	err = s.remote.ask(ctx, body, func(text []byte) error {
		var got struct {
			Rewards []judged `json:"rewards"`
		}
		if err := json.Unmarshal(text, &got); err != nil {
			return fmt.Errorf("answers %q: %w", clip(string(text)), err)
		}
		if len(got.Rewards) != len(samples) {
			return fmt.Errorf("answers with %d rewards for %d samples", len(got.Rewards), len(samples))
		}
		out = got.Rewards
		return nil
	})
	return out, err
}
