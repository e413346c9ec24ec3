package pipelines

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"temper/configs"
)

// Subject is a model that a suite is put to: a folder in the Hugging Face layout, or what a name of the bucket stands for.
type Subject struct {
	ID   string // of the stage that gives it, and its name in tables
	Path string
	Name string // an alias, or a model's full reference
}

// LoadSuite makes a pipeline of a suite, a YAML file of task sets and of evaluations that name no models, for some models:
//
//	name: maths
//	seed: 1
//	tasks: {gsm8k: {file: gsm8k_test.jsonl, format: gsm8k}}
//	evaluate:
//	  - {id: gsm8k, tasks: gsm8k, k: [1, 8], max_tokens: 256, reward: [{correct: 1.0}]}
//
// The rest is as in a pipeline. The first evaluation is the report's main table. A name that is no path is that of a built-in suite (see Suites).
func LoadSuite(path string, models []Subject, set []string) (*Pipeline, error) {
	var data []byte
	var err error
	if isPath(path) {
		data, err = os.ReadFile(path)
	} else if data, err = configs.Suites.ReadFile("suites/" + path + ".yaml"); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no built-in suite named %q%s (a path needs a slash or ends in .yaml)", path, configs.Suggest(path, "", Suites()))
	}
	if err != nil {
		return nil, fmt.Errorf("read suite: %w", err)
	}
	root, err := configs.ParseYAML(path, data)
	if err != nil {
		return nil, err
	}
	tree, err := suiteTree(path, root, models)
	if err != nil {
		return nil, err
	}
	return parseTree(path, filepath.Dir(path), tree, set)
}

// Suites lists the names of the built-in suites, sorted.
func Suites() []string { return embedded(configs.Suites, "suites") }

// suiteTree is the pipeline that a suite stands for.
func suiteTree(file string, root *yaml.Node, models []Subject) (*yaml.Node, error) {
	out := *root
	out.Content = nil
	var evaluations *yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch key := root.Content[i]; key.Value {
		case "evaluate":
			evaluations = root.Content[i+1]
		case "base", "stages":
			return nil, &configs.Error{File: file, Line: key.Line, Path: key.Value, Msg: "a suite has no stages but those of evaluate; models are given beside it"}
		default:
			out.Content = append(out.Content, key, root.Content[i+1])
		}
	}
	if evaluations == nil || evaluations.Kind != yaml.SequenceNode || len(evaluations.Content) == 0 {
		return nil, &configs.Error{File: file, Line: root.Line, Path: "evaluate", Msg: "a suite needs a list of evaluations, such as [{id: gsm8k, tasks: gsm8k, k: [1], max_tokens: 256}]"}
	}
	stages := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: evaluations.Line}
	names := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Line: evaluations.Line}
	for _, m := range models {
		kind, key, value := "import", "path", m.Path
		if m.Name != "" {
			kind, key, value = "alias", "name", m.Name
		}
		stages.Content = append(stages.Content, yamlMapping(evaluations.Line, yamlText(kind), yamlMapping(evaluations.Line, yamlText("id"), yamlText(m.ID), yamlText(key), yamlText(value))))
		names.Content = append(names.Content, yamlText(m.ID))
	}
	for i, e := range evaluations.Content {
		if e.Kind != yaml.MappingNode {
			return nil, &configs.Error{File: file, Line: e.Line, Path: fmt.Sprintf("evaluate[%d]", i), Msg: "must be a mapping of the settings of an evaluation"}
		}
		if configs.Child(e, "models") != nil {
			return nil, &configs.Error{File: file, Line: e.Line, Path: fmt.Sprintf("evaluate[%d].models", i), Msg: "a suite names no models; they are given beside it"}
		}
		body := *e
		body.Content = append([]*yaml.Node{yamlText("models"), names}, e.Content...)
		stages.Content = append(stages.Content, yamlMapping(e.Line, yamlText("evaluate"), &body))
	}
	out.Content = append(out.Content, yamlText("stages"), stages)
	if first := configs.Child(evaluations.Content[0], "id"); first != nil && configs.Child(root, "report") == nil { // what the models answer
		line := evaluations.Line
		out.Content = append(out.Content, yamlText("report"), yamlMapping(line, yamlText("models"), first,
			yamlText("samples"), yamlMapping(line, yamlText("evaluation"), first, yamlText("models"), names)))
	}
	return &out, nil
}

func yamlText(value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

func yamlMapping(line int, content ...*yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: line, Content: content}
}

var notInID = regexp.MustCompile(`[^a-z0-9_]+`)

// SubjectID makes the name of a stage from that of a model; taken are those that others have, to which this one is added.
func SubjectID(name string, taken map[string]bool) string {
	id := strings.Trim(notInID.ReplaceAllString(strings.ToLower(name), "_"), "_")
	if id == "" || id[0] < 'a' || id[0] > 'z' {
		id = "model_" + id
	}
	id = strings.TrimSuffix(id[:min(len(id), 32)], "_")
	free := id
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s_%d", id, n)
	}
	taken[free] = true
	return free
}
