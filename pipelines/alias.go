package pipelines

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"temper/artifact"
	"temper/configs"
)

// Alias takes the model that an alias of the bucket names when the stage runs; a base does so when the run starts. Where the alias is not set
// yet, Or makes the model. Output: model.
type Alias struct {
	Name string `yaml:"name" json:"name" validate:"required"` // or a model's full reference, model/<digest>
	Or   *Stage `yaml:"-" json:"or,omitempty" validate:"-"`   // import, pretrain or alias; it has the id of this stage
}

// baseKinds are the kinds of stages that can stand behind an alias: those that give a model and use no other stage.
var baseKinds = []string{"alias", "import", "pretrain"}

func (s *Alias) refs() []ref {
	if s.Or == nil {
		return nil
	}
	return s.Or.Settings.refs()
}

func (s *Alias) complete() {}

func (s *Alias) check(report func(string, string, ...any)) {
	ref, err := artifact.ParseRef(s.Name)
	switch {
	case err != nil:
		checkAlias(s.Name, "name", report)
	case ref.Kind != "model":
		report("name", "%s is no model", s.Name)
	}
}

func checkAlias(name, path string, report func(string, string, ...any)) {
	if err := artifact.CheckAlias(name); err != nil {
		report(path, "%v", err)
	}
}

func (s *Alias) title() string {
	if s.Or == nil {
		return "take " + s.Name
	}
	return fmt.Sprintf("take %s, or %s", s.Name, s.Or.Settings.title())
}

// Each calls visit for every stage, and for the stages that stand behind an alias.
func (p *Pipeline) Each(visit func(*Stage) error) error {
	for i := range p.Stages {
		for st := &p.Stages[i]; st != nil; st = st.or() {
			if err := visit(st); err != nil {
				return err
			}
		}
	}
	return nil
}

// or is the stage behind an alias, or nil.
func (st *Stage) or() *Stage {
	if s, ok := st.Settings.(*Alias); ok {
		return s.Or
	}
	return nil
}

// orAside makes {alias: …, or: …} what {alias: {name: …, or: …}} is.
func orAside(file, path string, node *yaml.Node) (*yaml.Node, error) {
	alias, or := configs.Child(node, "alias"), configs.Child(node, "or")
	if alias == nil || or == nil || len(node.Content) != 4 {
		return node, nil
	}
	body := alias
	if alias.Kind == yaml.ScalarNode {
		body = mapping(alias.Line, "name", alias)
	}
	if body.Kind != yaml.MappingNode || configs.Child(body, "or") != nil {
		return nil, &configs.Error{File: file, Line: or.Line, Path: path + ".or", Msg: "write {alias: NAME, or: {import: …}}, with one or"}
	}
	body.Content = append(body.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "or", Line: or.Line}, or)
	return mapping(node.Line, "alias", body), nil
}

// behind decodes the stage behind an alias; path is that of the alias.
func (p *Pipeline) behind(file, dir, path, id string, node *yaml.Node) (*Stage, error) {
	it, err := oneStage(file, path+".or", node)
	if err != nil {
		return nil, err
	}
	if configs.Child(it.body, "id") != nil {
		return nil, &configs.Error{File: file, Line: node.Line, Path: path + ".or.id", Msg: "unknown setting; the stage has the id of the alias, " + id}
	}
	it.id = id
	st, err := p.stage(file, dir, path+".or."+it.kind, it)
	if err != nil {
		return nil, err
	}
	return &st, nil
}

// validateOr checks the stage behind an alias as a stage of its own.
func (p *Pipeline) validateOr(st *Stage, earlier map[string]*Stage, fail func(path, format string, args ...any)) {
	or := st.or()
	if or == nil {
		return
	}
	at := "stages." + st.ID
	below := func(path, format string, args ...any) {
		fail(at+".or."+or.Kind+strings.TrimPrefix(path, at), format, args...)
	}
	if or.ID != st.ID {
		fail(at+".or", "the stage behind an alias has its id, %q, is %q", st.ID, or.ID)
		return
	}
	if !contains(baseKinds, or.Kind) {
		fail(at+".or", "must be one of %s, for the stage can use no other, is %s", strings.Join(baseKinds, ", "), or.Kind)
		return
	}
	p.validateKind(or, earlier, below)
}
