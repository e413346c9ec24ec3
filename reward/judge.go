package reward

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"text/template"
)

// A judge is a model that is asked for a score over OpenAI's chat API (POST URL/chat/completions), as in LLM-as-a-judge. What it does not answer is
// asked again, then all samples are ErrUnavailable; a reply without a score makes its sample's verdict Error. Neither is wrong.
var judgeKind = kind{name: "judge", gives: "the score in a model's reply, from low to high brought to 0 to 1", hi: 1, source: "MT-Bench (arXiv 2306.05685), single-answer grading",
	blank: func() Options { return new(JudgeOptions) }}

// JudgeOptions are the options of `judge`.
type JudgeOptions struct {
	EndpointOptions
	Template    string  `option:"template" about:"the question, a Go template of .Prompt, .Response, .Gold and .Meta; by default for a score from 0 to 10 by prompt and response"`
	System      string  `option:"system" about:"system message"`
	Pattern     string  `option:"pattern" about:"regular expression (RE2) with one group, the score; its last match in the reply counts; by default a number after Score:"`
	Field       string  `option:"field" about:"the score by its dotted path in the last JSON object of the reply, instead of pattern"`
	Low         float64 `option:"low" about:"the worst score, 0 by default"`
	High        float64 `option:"high" about:"the best score, 10 by default"`
	Temperature float64 `option:"temperature" about:"of the judge, 0 by default"`
	MaxTokens   int     `option:"max_tokens" about:"of the reply, 1024 by default"`
}

const judgeQuestion = `Judge how well the response answers the prompt.

[Prompt]
{{.Prompt}}

[Response]
{{.Response}}

[End of the response]

Give your reasons in a few sentences. Then write, as the last line, "Score: " and a whole number from 0 (useless) to 10 (as good as it can be).`

const judgeScore = `(?i)score:[\s*_]*(-?[0-9]+(?:\.[0-9]+)?)`

func (o *JudgeOptions) check(bad report) {
	o.EndpointOptions.check(bad)
	if o.Model == "" {
		bad("model", "must be given")
	}
	if _, err := o.question(); err != nil {
		bad("template", "%v", err)
	}
	if re, err := regexp.Compile(o.Pattern); err != nil {
		bad("pattern", "%v", err)
	} else if o.Pattern != "" && re.NumSubexp() != 1 {
		bad("pattern", "must have one group, has %d", re.NumSubexp())
	}
	if o.Pattern != "" && o.Field != "" {
		bad("field", "goes without pattern")
	}
	low, high := o.scale()
	if !finite(low) || !finite(high) || low >= high {
		bad("high", "must be above low, and both finite: %v and %v", low, high)
	}
	notNegative(bad, "temperature", o.Temperature)
	atLeastOne(bad, "max_tokens", o.MaxTokens)
}

// question is the template, tried on an empty sample.
func (o *JudgeOptions) question() (*template.Template, error) {
	t, err := template.New("judge").Option("missingkey=zero").Parse(or(o.Template, judgeQuestion))
	if err != nil {
		return nil, err
	}
	return t, t.Execute(new(bytes.Buffer), Sample{Meta: map[string]string{}})
}

func (o *JudgeOptions) scale() (low, high float64) {
	if o.Low == 0 && o.High == 0 {
		return 0, 10
	}
	return o.Low, o.High
}

type chatMessage struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

func (o *JudgeOptions) build() (judge, error) {
	e, err := newEndpoint(o.EndpointOptions, "/chat/completions")
	if err != nil {
		return judge{}, err
	}
	question, err := o.question()
	if err != nil {
		return judge{}, err
	}
	e.request = func(x Sample) ([]byte, error) {
		var text strings.Builder
		if err := question.Execute(&text, x); err != nil {
			return nil, fmt.Errorf("template: %w", err)
		}
		messages := []chatMessage{{"user", text.String()}}
		if o.System != "" {
			messages = append([]chatMessage{{"system", o.System}}, messages...)
		}
		return json.Marshal(struct {
			Model       string        `json:"model"`
			Messages    []chatMessage `json:"messages"`
			Temperature float64       `json:"temperature"`
			MaxTokens   int           `json:"max_tokens"`
		}{o.Model, messages, o.Temperature, or(o.MaxTokens, 1024)})
	}
	e.reply = chatReply
	e.score = o.reader()
	return judge{outside: e.judge, remote: e.remote}, nil
}

func chatReply(body []byte) (string, error) {
	var got struct {
		Choices []struct {
			Message struct {
				Content *string `json:"content"`
			} `json:"message"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return "", fmt.Errorf("answers %q: %w", clip(string(body)), err)
	}
	if len(got.Choices) == 0 || got.Choices[0].Message.Content == nil {
		return "", errors.New("answers without a message")
	}
	return *got.Choices[0].Message.Content, nil
}

// reader finds the score in a reply; one that is out of the scale is none.
func (o *JudgeOptions) reader() func(reply string) (float64, bool) {
	low, high := o.scale()
	pattern := regexp.MustCompile(or(o.Pattern, judgeScore))
	return func(reply string) (float64, bool) {
		value, ok := 0.0, false
		if o.Field != "" {
			value, ok = numberAt(lastObject(reply), o.Field)
		} else if all := pattern.FindAllStringSubmatch(reply, -1); len(all) > 0 {
			var err error
			value, err = strconv.ParseFloat(strings.TrimSpace(all[len(all)-1][1]), 64)
			ok = err == nil
		}
		if !ok || math.IsNaN(value) || value < low || value > high {
			return 0, false
		}
		return (value - low) / (high - low), true
	}
}

// lastObject is the last JSON object in the end of a text that may have others around it.
func lastObject(text string) []byte {
	const enough = 1 << 14 // each begin may take the rest to read
	text = text[max(0, len(text)-enough):]
	var last []byte
	for i := 0; i < len(text); {
		begin := strings.IndexByte(text[i:], '{')
		if begin < 0 {
			break
		}
		i += begin
		var raw json.RawMessage
		d := json.NewDecoder(strings.NewReader(text[i:]))
		if d.Decode(&raw) != nil {
			i++
			continue
		}
		last = raw
		i += int(d.InputOffset())
	}
	return last
}
