package reward

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"temper/reward/overlap"
)

var costKind = kind{name: "cost", gives: "a weighted sum of the response's length and of numbers in the problem's meta data; with a limit, what of it is above", lo: math.Inf(-1), hi: math.Inf(1),
	source: "constrained policy optimisation (arXiv 1705.10528): the cost signal, with the weight as its multiplier", blank: func() Options { return new(CostOptions) }}

// CostOptions are the options of `cost`.
type CostOptions struct {
	Tokens float64            `option:"tokens" about:"cost of a token of the response"`
	Words  float64            `option:"words" about:"cost of a word of the response"`
	Meta   map[string]float64 `option:"meta" about:"factors of numbers in the meta data, by name"`
	Limit  float64            `option:"limit" about:"what is free: the value is then max(0, cost - limit)"`
}

func (o *CostOptions) check(bad report) {
	for option, v := range map[string]float64{"tokens": o.Tokens, "words": o.Words} {
		if !finite(v) {
			bad(option, "must be finite, is %v", v)
		}
	}
	for _, name := range names(o.Meta) {
		if !finite(o.Meta[name]) {
			bad("meta", "%s must be finite, is %v", name, o.Meta[name])
		}
	}
	notNegative(bad, "limit", o.Limit)
	if o.Tokens == 0 && o.Words == 0 && len(o.Meta) == 0 {
		bad("tokens", "nothing costs anything: tokens, words or meta must be given")
	}
}

func (o *CostOptions) build() (judge, error) {
	signals := names(o.Meta)
	return judge{value: func(_ context.Context, x Sample) (float64, error) {
		sum := o.Tokens * float64(x.Tokens)
		if o.Words != 0 {
			sum += o.Words * float64(len(overlap.Words(x.Response)))
		}
		for _, name := range signals {
			v, err := strconv.ParseFloat(strings.TrimSpace(x.Meta[name]), 64)
			if err != nil || !finite(v) {
				return 0, fmt.Errorf("the sample's meta data %q is %q, no number", name, clip(x.Meta[name]))
			}
			sum += o.Meta[name] * v
		}
		if o.Limit != 0 {
			sum = math.Max(0, sum-o.Limit)
		}
		return sum, nil
	}}, nil
}
