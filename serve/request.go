package serve

import (
	"encoding/json"
	"math/rand/v2"

	"temper/serve/engine"
)

// sampling are the fields that both kinds of generation have.
type sampling struct {
	Model            string             `json:"model"`
	N                *int               `json:"n"`
	Stop             stopList           `json:"stop"`
	Temperature      *float64           `json:"temperature"`
	TopP             *float64           `json:"top_p"`
	Seed             *int64             `json:"seed"`
	Stream           bool               `json:"stream"`
	StreamOptions    *streamOptions     `json:"stream_options"`
	MaxTokens        *int               `json:"max_tokens"`
	PresencePenalty  *float64           `json:"presence_penalty"`
	FrequencyPenalty *float64           `json:"frequency_penalty"`
	LogitBias        map[string]float64 `json:"logit_bias"`
	User             string             `json:"user"` // said, not used
}

type streamOptions struct {
	IncludeUsage       bool `json:"include_usage"`
	IncludeObfuscation bool `json:"include_obfuscation"` // answers are not padded
}

// stopList is a string or a list of strings.
type stopList []string

func (s *stopList) UnmarshalJSON(data []byte) error {
	var one *string
	if err := json.Unmarshal(data, &one); err == nil {
		if one != nil {
			*s = stopList{*one}
		}
		return nil
	}
	var list []string
	if err := json.Unmarshal(data, &list); err != nil {
		return invalid("stop", "stop must be a string or a list of strings")
	}
	*s = list
	return nil
}

// Bounds of a request.
const (
	maxChoices = 128
	maxStops   = 16
)

func or[T any](p *T, otherwise T) T {
	if p == nil {
		return otherwise
	}
	return *p
}

// check refuses what is out of range and what this server would have to leave out.
func (s *sampling) check() *apiError {
	between := func(param string, v, low, high float64) *apiError {
		if !(v >= low && v <= high) {
			return invalid(param, "%s must be between %g and %g, is %g", param, low, high, v)
		}
		return nil
	}
	for _, e := range []*apiError{between("temperature", or(s.Temperature, 1), 0, 2), between("top_p", or(s.TopP, 1), 0, 1), between("n", float64(or(s.N, 1)), 1, maxChoices)} {
		if e != nil {
			return e
		}
	}
	if len(s.Stop) > maxStops {
		return invalid("stop", "stop has %d strings, at most %d are heeded", len(s.Stop), maxStops)
	}
	for _, text := range s.Stop {
		if text == "" {
			return invalid("stop", "stop has an empty string")
		}
	}
	switch {
	case or(s.PresencePenalty, 0) != 0:
		return invalid("presence_penalty", "presence_penalty is not supported")
	case or(s.FrequencyPenalty, 0) != 0:
		return invalid("frequency_penalty", "frequency_penalty is not supported")
	case len(s.LogitBias) > 0:
		return invalid("logit_bias", "logit_bias is not supported")
	case s.StreamOptions != nil && !s.Stream:
		return invalid("stream_options", "stream_options is for stream: true")
	}
	return nil
}

// seed is the request's, or any.
func (s *sampling) seed() uint64 {
	if s.Seed != nil {
		return uint64(*s.Seed)
	}
	return rand.Uint64()
}

// sequences makes one of a request's prompts into n sequences whose answers go to the feed as choices from first on. before is what the
// answers' text goes on from.
func (s *sampling) sequences(m *Model, f *feed, prompt, before []int32, ordinal, maxNew, top int, seed uint64) (sequences []*engine.Sequence, answers []*answer) {
	n := or(s.N, 1)
	for j := range n {
		choice := ordinal*n + j
		a := m.answer(before, s.Stop, func(d delta) { f.push(event{choice, d}) })
		answers = append(answers, a)
		sequences = append(sequences, &engine.Sequence{Prompt: prompt, MaxNew: maxNew, Key: engine.Key(seed, ordinal, j), Temperature: or(s.Temperature, 1),
			TopP: or(s.TopP, 1), Top: top, Accept: func(t engine.Token) bool { return a.accept(t, maxNew) }})
	}
	return sequences, answers
}

// usage counts tokens.
type usage struct {
	Prompt     int `json:"prompt_tokens"`
	Completion int `json:"completion_tokens"`
	Total      int `json:"total_tokens"`
}

func usageOf(prompt int, answers []*answer) usage {
	u := usage{Prompt: prompt}
	for _, a := range answers {
		u.Completion += a.drawn
	}
	u.Total = u.Prompt + u.Completion
	return u
}
