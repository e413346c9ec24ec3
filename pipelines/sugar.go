package pipelines

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"temper/configs"
)

// item is one stage as YAML: {kind: body}.
type item struct {
	id, kind string
	body     *yaml.Node // always a mapping
}

// items are the stages of a document in order.
type items struct{ list []*item }

func (s *items) find(id string) *item {
	for _, it := range s.list {
		if it.id == id {
			return it
		}
	}
	return nil
}

func (s *items) ids() []string {
	out := make([]string, len(s.list))
	for i, it := range s.list {
		out[i] = it.id
	}
	return out
}

// desugar takes the stages out of a document. Top-level base becomes the first stage, with id base; every stage gets an id, its
// kind where it names none; import: PATH becomes import: {path: PATH}, alias: NAME becomes alias: {name: NAME}. The nodes of the stages stay shared with root, less base.
func desugar(file string, root *yaml.Node) (*items, error) {
	if root.Kind != yaml.MappingNode {
		return nil, &configs.Error{File: file, Line: root.Line, Msg: "a pipeline is a mapping with name, tasks and stages"}
	}
	out := &items{}
	if base := configs.Child(root, "base"); base != nil {
		it, err := oneStage(file, "base", base)
		if err != nil {
			return nil, err
		}
		if configs.Child(it.body, "id") != nil {
			return nil, &configs.Error{File: file, Line: base.Line, Path: "base.id", Msg: "unknown setting; the id of base is base"}
		}
		it.id = "base"
		out.list = append(out.list, it)
		*root = *without(root, "base")
	}
	stages := configs.Child(root, "stages")
	if stages == nil {
		return out, nil
	}
	if stages.Kind != yaml.SequenceNode {
		return nil, &configs.Error{File: file, Line: stages.Line, Path: "stages", Msg: "expected a list of stages such as - sft: {model: base, …}"}
	}
	lines := map[string]int{}
	for _, it := range out.list {
		lines[it.id] = it.body.Line
	}
	for i, node := range stages.Content {
		it, err := oneStage(file, fmt.Sprintf("stages[%d]", i), node)
		if err != nil {
			return nil, err
		}
		if line, twice := lines[it.id]; twice {
			return nil, &configs.Error{File: file, Line: it.body.Line, Path: "stages." + it.id,
				Msg: fmt.Sprintf("two stages have this id, the first on line %d; give one another id", line)}
		}
		lines[it.id] = it.body.Line
		out.list = append(out.list, it)
	}
	return out, nil
}

// bareSetting is the setting that a stage of one value has.
var bareSetting = map[string]string{"import": "path", "alias": "name"}

// oneStage reads {kind: body}.
func oneStage(file, path string, node *yaml.Node) (*item, error) {
	node, err := orAside(file, path, node)
	if err != nil {
		return nil, err
	}
	if node.Kind != yaml.MappingNode || len(node.Content) != 2 {
		return nil, &configs.Error{File: file, Line: node.Line, Path: path, Msg: "expected one kind of stage with its settings, such as sft: {model: base, …}"}
	}
	key, body := node.Content[0], node.Content[1]
	it := &item{id: key.Value, kind: key.Value, body: body}
	switch {
	case body.Kind == yaml.ScalarNode && body.ShortTag() == "!!null":
		it.body = mapping(key.Line)
	case body.Kind == yaml.ScalarNode && bareSetting[it.kind] != "":
		it.body = mapping(body.Line, bareSetting[it.kind], body)
	case body.Kind != yaml.MappingNode:
		return nil, &configs.Error{File: file, Line: body.Line, Path: path + "." + key.Value, Msg: "expected settings such as {model: base, …}"}
	}
	if id := configs.Child(it.body, "id"); id != nil {
		if id.Kind != yaml.ScalarNode || !namePattern.MatchString(id.Value) {
			return nil, &configs.Error{File: file, Line: id.Line, Path: path + ".id", Msg: nameRule}
		}
		it.id = id.Value
	}
	return it, nil
}

// mapping makes a mapping with at most one entry.
func mapping(line int, entry ...any) *yaml.Node {
	out := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: line}
	if len(entry) == 2 {
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: entry[0].(string), Line: line}
		out.Content = []*yaml.Node{key, entry[1].(*yaml.Node)}
	}
	return out
}
