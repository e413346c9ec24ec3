package reward

import (
	"context"
	"errors"
	"fmt"
	"math"

	"temper/reward/overlap"
)

var lengthKind = kind{name: "length", gives: "1 at the best length, 0 at the worst; shape overlong: 0, and down to -1 where the response is too long", lo: -1, hi: 1,
	source: "overlong: DAPO (arXiv 2503.14476), equation 13", blank: func() Options { return new(LengthOptions) }}

var (
	lengthShapes = []string{"cosine", "linear", "overlong", "target"}
	lengthUnits  = []string{"tokens", "words"}
)

// LengthOptions are the options of `length`.
type LengthOptions struct {
	Shape  string  `option:"shape" about:"target (default): 1 at target, falling linearly to 0 at a distance of target; linear: 1 at 0, 0 at max; cosine: the same ends along half a cosine; overlong: 0 up to max less buffer, then falling linearly to -1 at max"`
	Unit   string  `option:"unit" about:"tokens (default) or words"`
	Target float64 `option:"target" about:"best length for shape target, in units"`
	Buffer float64 `option:"buffer" about:"the length before max, in units, in which shape overlong falls"`
	Max    float64 `option:"max" about:"in units; without it, in tokens, the sample's limit"`
}

func (o *LengthOptions) check(bad report) {
	oneOf(bad, "shape", o.Shape, lengthShapes)
	oneOf(bad, "unit", o.Unit, lengthUnits)
	if !notNegative(bad, "target", o.Target) || !notNegative(bad, "max", o.Max) || !notNegative(bad, "buffer", o.Buffer) {
		return
	}
	switch or(o.Shape, "target") {
	case "target":
		if o.Target == 0 {
			bad("target", "must be above 0 for shape target")
		}
	case "linear", "cosine", "overlong":
		if o.Max == 0 && o.Unit == "words" {
			bad("max", "must be given for shape %s in words", o.Shape)
		}
	}
	switch overlong := o.Shape == "overlong"; {
	case !overlong && o.Buffer != 0:
		bad("buffer", "goes with shape overlong")
	case overlong && o.Buffer == 0:
		bad("buffer", "must be above 0 for shape overlong")
	case overlong && o.Max != 0 && o.Buffer > o.Max:
		bad("buffer", "is above max")
	}
}

func (o *LengthOptions) build() (judge, error) { return judge{value: o.value}, nil }

func (o *LengthOptions) value(_ context.Context, x Sample) (float64, error) {
	have, limit := float64(x.Tokens), o.Max
	if o.Unit == "words" {
		have = float64(len(overlap.Words(x.Response)))
	} else if limit == 0 {
		limit = float64(x.MaxTokens)
	}
	if or(o.Shape, "target") == "target" {
		return math.Max(0, 1-math.Abs(have-o.Target)/o.Target), nil
	}
	if limit <= 0 {
		return 0, errors.New("max is not set and the sample does not say its token limit")
	}
	if o.Shape == "overlong" {
		if o.Buffer > limit {
			return 0, fmt.Errorf("buffer %v is above the sample's token limit %v", o.Buffer, limit)
		}
		return math.Min(0, math.Max(-1, (limit-o.Buffer-have)/o.Buffer)), nil
	}
	share := math.Min(1, have/limit)
	if o.Shape == "cosine" {
		return (1 + math.Cos(math.Pi*share)) / 2, nil
	}
	return 1 - share, nil
}
