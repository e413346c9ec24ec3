package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"temper/configs"
	"temper/pipelines"
)

// repo reads a file of the repository.
func repo(t *testing.T, path string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("..", "..", path))
	require.NoError(t, err)
	return string(body)
}

// variables lists the environment variables of all settings.
func variables(t *testing.T) []string {
	t.Helper()
	text, err := configs.Default().YAML()
	require.NoError(t, err)
	var tree map[string]any
	require.NoError(t, yaml.Unmarshal(text, &tree))
	var names []string
	var walk func(string, map[string]any)
	walk = func(prefix string, m map[string]any) {
		for key, value := range m {
			if below, ok := value.(map[string]any); ok && len(below) > 0 {
				walk(prefix+key+"_", below)
			} else {
				names = append(names, strings.ToUpper(prefix+key))
			}
		}
	}
	walk("temper_", tree)
	return names
}

func TestDeployedSettingsExist(t *testing.T) {
	known := variables(t)
	require.Contains(t, known, "TEMPER_S3_SECRET_KEY")
	for _, file := range []string{"deploy/compose.yaml", "deploy/Dockerfile", "deploy/helm/temper/templates/workers.yaml"} {
		used := map[string]bool{}
		for _, name := range regexp.MustCompile(`TEMPER_[A-Z0-9_]+`).FindAllString(repo(t, file), -1) {
			used[name] = true
		}
		require.NotEmpty(t, used, file)
		require.Subset(t, known, slices.Collect(maps.Keys(used)), file)
	}
}

func TestChartSetsWhatSettingsTake(t *testing.T) {
	var env []string
	for _, m := range regexp.MustCompile(`name: (TEMPER_\w+), value: "?([^{}"]+)"?}`).FindAllStringSubmatch(repo(t, "deploy/helm/temper/templates/workers.yaml"), -1) {
		env = append(env, m[1]+"="+m[2])
	}
	require.Contains(t, env, "TEMPER_WORKER_HEALTH=0.0.0.0:8080")
	_, err := configs.Load(configs.Options{Files: []string{}, Env: func() []string { return env }})
	require.NoError(t, err)
}

func TestComposeIsWhole(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			Environment map[string]string
			DependsOn   map[string]any `yaml:"depends_on"`
		}
		Volumes map[string]any
	}
	require.NoError(t, yaml.Unmarshal([]byte(repo(t, "deploy/compose.yaml")), &compose))
	var env []string
	for key, value := range compose.Services["worker"].Environment {
		env = append(env, key+"="+value)
	}
	s, err := configs.Load(configs.Options{Files: []string{}, Env: func() []string { return env }})
	require.NoError(t, err)
	require.True(t, elsewhere(s))
	for name, service := range compose.Services {
		for other := range service.DependsOn {
			require.Contains(t, compose.Services, other, name)
		}
	}
}

func TestEveryDependencyIsExplained(t *testing.T) {
	text := repo(t, "docs/dependencies.md")
	direct := regexp.MustCompile(`(?m)^(?:require )?\s*([\w./-]+\.[\w./-]+) v\S+$`).FindAllStringSubmatch(repo(t, "go.mod"), -1)
	require.Greater(t, len(direct), 10)
	for _, m := range direct {
		require.Contains(t, text, "`"+m[1]+"`")
	}
}

func TestMakefileTargetsAreTold(t *testing.T) {
	text := repo(t, "Makefile")
	for _, target := range []string{"build", "plugin", "demo", "test", "check"} {
		require.Regexp(t, `(?m)^`+target+`:.* ## \S`, text)
	}
}

func TestShortDemoIsTheDemo(t *testing.T) {
	m := regexp.MustCompile(`(?m)^SHORT := ((?:.*\\\n)*.*)$`).FindStringSubmatch(repo(t, "Makefile"))
	require.NotNil(t, m)
	sets := strings.Fields(strings.ReplaceAll(m[1], "\\\n", " "))
	require.Greater(t, len(sets), 10)
	short, err := pipelines.Load("demo", sets)
	require.NoError(t, err)
	demo, err := pipelines.Load("demo", nil)
	require.NoError(t, err)
	require.Len(t, short.Stages, len(demo.Stages))
	for _, model := range []string{"base", "sft", "rl1", "rl2", "student"} {
		require.Contains(t, short.Stage("eval").Settings.(*pipelines.Evaluate).Models, model)
	}
}
