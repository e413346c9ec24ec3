package pipelines

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const suiteYAML = `name: maths
seed: 3
tasks:
  sums: {procedural: chain, seed: 5, count: 16}
evaluate:
  - {id: chains, tasks: sums, k: [1, 4], max_tokens: 16, reward: [{correct: 1.0, answer: hash}]}
  - id: again
    tasks: sums
    k: [1]
    max_tokens: 32
`

func loadSuite(t *testing.T, text string, models ...Subject) (*Pipeline, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "suite.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return LoadSuite(path, models, nil)
}

func TestLoadSuite(t *testing.T) {
	full := "model/" + strings.Repeat("ab", 32)
	p, err := loadSuite(t, suiteYAML, Subject{ID: "mine", Path: "/models/mine"}, Subject{ID: "best", Name: "reason/champion"}, Subject{ID: "that", Name: full})
	require.NoError(t, err)
	require.Equal(t, "maths", p.Name)
	require.Equal(t, uint64(3), p.Seed)
	require.Equal(t, "/models/mine", p.Stage("mine").Settings.(*Import).Path)
	require.Equal(t, "reason/champion", p.Stage("best").Settings.(*Alias).Name)
	require.Equal(t, full, p.Stage("that").Settings.(*Alias).Name)
	chains := p.Stage("chains").Settings.(*Evaluate)
	require.Equal(t, Names{"mine", "best", "that"}, chains.Models)
	require.Equal(t, 4, chains.Samples)
	require.Equal(t, "chains", p.MainEvaluation())
	require.Equal(t, &SamplesReport{Evaluation: "chains", Models: Names{"mine", "best", "that"}, N: 3}, p.Report.Samples, "a report shows what the models answer")
}

func TestBuiltInSuites(t *testing.T) {
	require.Equal(t, []string{"domains", "stories"}, Suites())
	for _, name := range Suites() {
		p, err := LoadSuite(name, []Subject{{ID: "mine", Path: "/models/mine"}}, nil)
		require.NoError(t, err)
		require.Equal(t, name, p.Name)
	}
	_, err := LoadSuite("domain", nil, nil)
	require.ErrorContains(t, err, `no built-in suite named "domain"; did you mean domains?`)
}

func TestSuitesAreChecked(t *testing.T) {
	mine := Subject{ID: "mine", Path: "/models/mine"}
	for text, says := range map[string]string{
		"name: x\n": "evaluate: a suite needs a list of evaluations",
		strings.Replace(suiteYAML, "tasks: sums, k", "tasks: sum, k", 1):         "suite.yaml:6: stages.chains.tasks",
		strings.Replace(suiteYAML, "k: [1]", "k: [0]", 1):                        "suite.yaml:9: stages.again.k",
		strings.Replace(suiteYAML, "id: again", "models: [a]\n    id: again", 1): "suite.yaml:7: evaluate[1].models: a suite names no models",
		suiteYAML + "stages: []\n":                                               "suite.yaml:11: stages: a suite has no stages",
		"evaluate: [1]\n":                                                        "suite.yaml:1: evaluate[0]: must be a mapping",
		strings.Replace(suiteYAML, "max_tokens: 32", "max_token: 32", 1):         "max_token",
	} {
		_, err := loadSuite(t, text, mine)
		require.ErrorContains(t, err, says)
	}
	_, err := loadSuite(t, suiteYAML, Subject{ID: "d", Name: "problems/" + strings.Repeat("ab", 32)})
	require.ErrorContains(t, err, "is no model")
}

func TestSubjectID(t *testing.T) {
	taken := map[string]bool{}
	for _, c := range [][2]string{{"Qwen3-0.6B", "qwen3_0_6b"}, {"Qwen3-0.6B", "qwen3_0_6b_2"}, {"model/ab12cd", "model_ab12cd"}, {"7b", "model_7b"}, {"日本", "model"}, {"reason/champion", "reason_champion"}} {
		got := SubjectID(c[0], taken)
		require.Equal(t, c[1], got)
		require.Regexp(t, namePattern, got)
	}
}
