package reward

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// A reward model is an endpoint that answers one sample with one number. It gets
//
//	POST URL  {"model": …, "prompt": …, "response": …, "messages": [{"role": "user", …}, {"role": "assistant", …}]}
//
// and answers with JSON that has the number at `field`.
var rewardModelKind = kind{name: "reward_model", gives: "the number that an endpoint answers", lo: math.Inf(-1), hi: math.Inf(1), source: "InstructGPT (arXiv 2203.02155), reward model",
	blank: func() Options { return new(RewardModelOptions) }}

// RewardModelOptions are the options of `reward_model`.
type RewardModelOptions struct {
	EndpointOptions
	Field   string `option:"field" about:"where the number stands in the answer, by names and places: score by default, data.0.data.0 for vLLM's /pooling"`
	Sigmoid bool   `option:"sigmoid" about:"the value is 1/(1+exp(-number)), in [0, 1]"`
}

func (o *RewardModelOptions) build() (judge, error) {
	e, err := newEndpoint(o.EndpointOptions, "")
	if err != nil {
		return judge{}, err
	}
	e.request = func(x Sample) ([]byte, error) {
		return json.Marshal(struct {
			Model    string        `json:"model,omitempty"`
			Prompt   string        `json:"prompt"`
			Response string        `json:"response"`
			Messages []chatMessage `json:"messages"`
		}{o.Model, x.Prompt, x.Response, []chatMessage{{"user", x.Prompt}, {"assistant", x.Response}}})
	}
	field := or(o.Field, "score")
	e.reply = func(body []byte) (string, error) {
		n, ok := numberAt(body, field)
		if !ok {
			return "", fmt.Errorf("answers %q, which has no number at %s", clip(string(body)), field)
		}
		return strconv.FormatFloat(n, 'g', -1, 64), nil
	}
	e.score = func(reply string) (float64, bool) {
		n, err := strconv.ParseFloat(reply, 64)
		if o.Sigmoid {
			n = 1 / (1 + math.Exp(-n))
		}
		return n, err == nil
	}
	return judge{outside: e.judge, remote: e.remote}, nil
}
