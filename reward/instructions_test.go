package reward

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIFEval(t *testing.T) {
	x := Sample{Meta: map[string]string{"instruction_id_list": `["punctuation:no_comma", "length_constraints:number_words"]`, "kwargs": `[{}, {"relation": "less than", "num_words": 3}]`}}
	for _, c := range []struct {
		o        IFEvalOptions
		response string
		want     float64
	}{
		{IFEvalOptions{}, "a b", 1}, {IFEvalOptions{}, "a b c", 0.5}, {IFEvalOptions{}, "a, b c", 0}, {IFEvalOptions{All: true}, "a b c", 0}, {IFEvalOptions{All: true}, "a b", 1},
		{IFEvalOptions{}, "Yes:\na b", 0.5}, {IFEvalOptions{Loose: true}, "Yes:\na b", 1}, {IFEvalOptions{}, "well, a, b, c</think>a b", 1}, {IFEvalOptions{}, "", 0},
	} {
		x.Response = c.response
		require.InDelta(t, c.want, value(t, PartSpec{Kind: "ifeval", Options: &c.o}, x), 1e-12, "%+v %q", c.o, c.response)
	}
	got := scorer(t, []PartSpec{{Kind: "ifeval", Weight: 1}}).Score(t.Context(), Sample{Response: "a"})
	require.Equal(t, Error, got.Verdict)
	require.Contains(t, got.Detail, "instruction_id_list is no JSON list")
}
