package reward

import (
	"context"

	"temper/reward/ifeval"
)

var ifevalKind = kind{name: "ifeval", gives: "share of the instructions in Meta[\"instruction_id_list\"], with their arguments in Meta[\"kwargs\"], that the response follows", hi: 1,
	source: "IFEval (arXiv 2311.07911); package ifeval names the deviations", blank: func() Options { return new(IFEvalOptions) }}

// IFEvalOptions are the options of `ifeval`. What stands before the last </think> is no part of the response.
type IFEvalOptions struct {
	Loose bool `option:"loose" about:"a response also follows an instruction if it does without its first or last line or its asterisks"`
	All   bool `option:"all" about:"1 if all instructions are followed, else 0"`
}

func (o *IFEvalOptions) check(report) {}

func (o *IFEvalOptions) build() (judge, error) {
	follows := ifeval.Instruction.Follows
	if o.Loose {
		follows = ifeval.Instruction.FollowsLoosely
	}
	return judge{value: func(_ context.Context, x Sample) (float64, error) {
		list, err := ifeval.Parse(x.Meta["instruction_id_list"], x.Meta["kwargs"])
		if err != nil {
			return 0, err
		}
		text, _ := judgedText(x.Response, "")
		followed := 0
		for _, i := range list {
			if follows(i, text) {
				followed++
			}
		}
		if o.All {
			return number(followed == len(list)), nil
		}
		return float64(followed) / float64(len(list)), nil
	}}, nil
}
