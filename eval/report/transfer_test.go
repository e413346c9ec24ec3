package report

import (
	"testing"

	"github.com/stretchr/testify/require"

	"temper/pipelines"
)

func TestTransfer(t *testing.T) {
	in := full(t)
	in.Pipeline.Report = &pipelines.ReportSpec{Transfer: &pipelines.TransferReport{Base: "sft", Domains: []pipelines.TransferDomain{
		{Name: "sums", Model: "rl1", Evaluation: "evaluate"}, {Name: "logic", Model: "rl1", Evaluation: "questions"}}}}
	d, err := Build(in)
	require.NoError(t, err)
	got := d.Transfer
	require.Equal(t, []string{"sums", "logic"}, got.Domains)
	rows, err := builder{in}.rows("questions", "sft", "rl1")
	require.NoError(t, err)
	require.InDelta(t, mean(rates(rows, 0)), got.Scores[1], 1e-12)
	require.InDelta(t, mean(rates(rows, 1))-mean(rates(rows, 0)), got.Cells[0][1].Paired.Difference, 1e-12)
	require.Equal(t, got.Cells[0][1], got.Cells[1][1], "the same model here")
	require.InDelta(t, (got.Cells[0][0].Paired.Difference+got.Cells[1][1].Paired.Difference)/2, got.Within, 1e-12)
	require.InDelta(t, (got.Cells[0][1].Paired.Difference+got.Cells[1][0].Paired.Difference)/2, got.Across, 1e-12)
	text := d.Markdown()
	require.Contains(t, text, "| trained on | sums | logic |")
	require.Contains(t, text, "| (sft) | 33.3 | 16.2 |")
	require.Regexp(t, `\| sums \| 50\.0 \(\+16\.7\)\*? \| 65\.0 \(\+48\.8\)\* \|`, text)
}
