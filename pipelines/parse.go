package pipelines

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"temper/configs"
	"temper/tasks"
)

// Load reads a pipeline from a YAML file, or a built-in one by its name (see Builtin), applies set ("stages.rl1.rounds=5") and checks
// it. A name with a slash, a backslash or the ending .yaml or .yml is a path. Recipes that are paths are found from the
// pipeline's folder.
func Load(path string, set []string) (*Pipeline, error) {
	if !isPath(path) {
		data, err := configs.Pipelines.ReadFile("pipelines/" + path + ".yaml")
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no built-in pipeline named %q%s (a path needs a slash or ends in .yaml)", path, configs.Suggest(path, "", Builtin()))
		}
		if err != nil {
			return nil, fmt.Errorf("read built-in pipeline %s: %w", path, err)
		}
		return parse(path+".yaml", "", data, set)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read pipeline: %w", err)
	}
	return parse(path, filepath.Dir(path), data, set)
}

// Builtin lists the names of the built-in pipelines, sorted.
func Builtin() []string { return embedded(configs.Pipelines, "pipelines") }

// Parse is Load for YAML that is in memory; name stands in errors and names a pipeline that does not name itself.
func Parse(name string, yamlBytes []byte, set []string) (*Pipeline, error) {
	return parse(name, "", yamlBytes, set)
}

// document is the top level of a pipeline's YAML once base has become a stage.
type document struct {
	Name        string                  `yaml:"name"`
	Seed        uint64                  `yaml:"seed"`
	Concurrency int                     `yaml:"concurrency"`
	Tasks       map[string]tasks.Source `yaml:"tasks"`
	Stages      []yaml.Node             `yaml:"stages"`
	Report      *ReportSpec             `yaml:"report"`
}

func parse(file, dir string, data []byte, set []string) (*Pipeline, error) {
	root, err := configs.ParseYAML(file, data)
	if err != nil {
		return nil, err
	}
	return parseTree(file, dir, root, set)
}

func parseTree(file, dir string, root *yaml.Node, set []string) (*Pipeline, error) {
	items, err := desugar(file, root)
	if err != nil {
		return nil, err
	}
	if err := applySets(root, items, set); err != nil {
		return nil, err
	}
	doc := document{Concurrency: defaultConcurrency, Name: strings.TrimSuffix(strings.TrimSuffix(filepath.Base(file), ".yaml"), ".yml")}
	if err := configs.Strict(file, root, &doc); err != nil {
		return nil, fromSet(err)
	}
	p := &Pipeline{Name: doc.Name, Seed: doc.Seed, Concurrency: doc.Concurrency, Tasks: doc.Tasks, Report: doc.Report,
		src: &source{file: file, lines: map[string]int{}}}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if key := root.Content[i].Value; key != "stages" {
			p.src.record(root.Content[i+1], key)
		} else {
			p.src.lines[key] = root.Content[i].Line
		}
	}
	var all collect
	for _, item := range items.list {
		st, err := p.stage(file, dir, "stages."+item.id, item)
		all.add(err)
		if err == nil {
			p.Stages = append(p.Stages, st)
		}
	}
	if err := all.err(); err != nil {
		return nil, fromSet(err)
	}
	p.Report.complete()
	p.resolve()
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return p, nil
}

// stage decodes one stage onto its kind's defaults; path is where it stands.
func (p *Pipeline) stage(file, dir, path string, it *item) (Stage, error) {
	p.src.record(it.body, path)
	kind, ok := kinds[it.kind]
	if !ok {
		return Stage{}, &configs.Error{File: file, Line: it.body.Line, Path: path,
			Msg: fmt.Sprintf("unknown kind of stage %q%s", it.kind, configs.Suggest(it.kind, "", Kinds()))}
	}
	st := Stage{ID: it.id, Kind: it.kind, Settings: kind.blank()}
	var override *yaml.Node
	body := without(it.body, "id")
	if gate := configs.Child(body, "gate"); gate != nil && !ownsGate(st.Settings) {
		st.Gate = &Gate{}
		if err := configs.StrictAt(file, path+".gate", gate, st.Gate); err != nil {
			return st, err
		}
		body = without(body, "gate")
	}
	var or *yaml.Node
	switch it.kind {
	case "rl":
		override = configs.Child(body, "override")
		body = without(body, "override")
	case "alias":
		or = configs.Child(body, "or")
		body = without(body, "or")
	}
	if err := configs.StrictAt(file, path, body, st.Settings); err != nil {
		return st, err
	}
	if rl, ok := st.Settings.(*RL); ok {
		recipe, err := LoadRecipe(rl.Recipe, dir)
		if err != nil {
			e := p.src.errorAt(path+".recipe", err.Error())
			e.Err = err
			return st, e
		}
		rl.RecipeSettings = recipe
		if override != nil {
			if err := configs.StrictAt(file, path+".override", override, &rl.RecipeSettings); err != nil {
				return st, err
			}
		}
	}
	if alias, ok := st.Settings.(*Alias); ok && or != nil {
		var err error
		if alias.Or, err = p.behind(file, dir, path, it.id, or); err != nil {
			return st, err
		}
	}
	st.Settings.complete()
	return st, nil
}

// without copies a mapping less one key.
func without(n *yaml.Node, key string) *yaml.Node {
	out := *n
	out.Content = nil
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value != key {
			out.Content = append(out.Content, n.Content[i], n.Content[i+1])
		}
	}
	return &out
}

func isPath(name string) bool {
	return strings.ContainsAny(name, `/\`) || strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")
}

// embedded lists the YAML files of a folder by name; an embedded folder that is missing lists nothing.
func embedded(files fs.FS, folder string) []string {
	paths, _ := fs.Glob(files, folder+"/*.yaml") // the pattern is well formed, the only error Glob knows
	out := make([]string, 0, len(paths))
	for _, path := range paths {
		out = append(out, strings.TrimSuffix(filepath.Base(path), ".yaml"))
	}
	return out
}
