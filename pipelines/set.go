package pipelines

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"temper/configs"
)

// applySets writes values from the command line into the tree. Paths are those of errors: seed, tasks.pool.count, stages.rl1.rounds,
// stages.rl1.override.group; base.X is stages.base.X. stages.ID.import=PATH replaces a stage by the import of a model, stages.ID.alias=NAME by
// the model of an alias (stages.ID.or.import=PATH what stands behind one). A setting
// that does not exist is refused by the decoding that follows; a stage or task set that does not exist is refused here.
func applySets(root *yaml.Node, stages *items, set []string) error {
	for _, s := range set {
		path, raw, ok := strings.Cut(s, "=")
		path = strings.TrimSpace(path)
		if !ok || path == "" {
			return setError(path, "write it as a.b=c, such as stages.rl1.rounds=5")
		}
		value, err := configs.TextNode(raw)
		if err != nil {
			return err
		}
		if err := applySet(root, stages, path, strings.Split(path, "."), value); err != nil {
			return err
		}
	}
	return nil
}

func setError(path, format string, args ...any) error {
	return &configs.Error{File: setSource, Path: path, Msg: fmt.Sprintf(format, args...)}
}

func applySet(root *yaml.Node, stages *items, path string, names []string, value *yaml.Node) error {
	if slices.Contains(names, "") {
		return setError(path, "has an empty name between its dots")
	}
	if names[0] == "base" {
		names = append([]string{"stages"}, names...)
	}
	switch {
	case names[0] == "stages":
		if len(names) < 3 {
			return setError(path, "name a setting of a stage, such as stages.rl1.rounds")
		}
		it := stages.find(names[1])
		if it == nil {
			return setError(path, "no stage has the id %q%s", names[1], configs.Suggest(names[1], "", stages.ids()))
		}
		return it.set(path, names[2:], value)
	case names[0] == "tasks" && len(names) > 2:
		known := configs.Child(root, "tasks")
		if configs.Child(known, names[1]) == nil {
			return setError(path, "no task set is named %q%s", names[1], configs.Suggest(names[1], "", keysOf(known)))
		}
	}
	return put(root, path, names, value)
}

// set changes one setting of a stage. The kind may be repeated, as in base.pretrain.steps.
func (it *item) set(path string, names []string, value *yaml.Node) error {
	if setting := bareSetting[names[0]]; setting != "" && len(names) == 1 {
		if value.Kind != yaml.ScalarNode {
			return setError(path, "expected a %s", setting)
		}
		it.kind, it.body = names[0], mapping(it.body.Line, setting, value)
		return nil
	}
	if it.kind == "alias" && len(names) == 2 && names[0] == "or" && bareSetting[names[1]] != "" {
		return put(it.body, path, names[:1], mapping(it.body.Line, names[1], value))
	}
	if names[0] == it.kind && len(names) > 1 {
		names = names[1:]
	}
	if names[0] == "id" {
		return setError(path, "an id cannot be changed here, for other stages name it")
	}
	return put(it.body, path, names, value)
}

// put sets a value in nested mappings, making those that are missing.
func put(n *yaml.Node, path string, names []string, value *yaml.Node) error {
	for i, name := range names {
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
			*n = *mapping(n.Line)
		}
		if n.Kind != yaml.MappingNode {
			return setError(path, "%s is not a group of settings; set it as a whole, a list as [a, b]", strings.Join(names[:i], "."))
		}
		last := i == len(names)-1
		child := configs.Child(n, name)
		switch {
		case child != nil && last:
			*child = *value
		case child == nil:
			key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
			child = mapping(0)
			if last {
				child = value
			}
			n.Content = append(n.Content, key, child)
		}
		n = child
	}
	return nil
}

func keysOf(n *yaml.Node) []string {
	var out []string
	for i := 0; n != nil && n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		out = append(out, n.Content[i].Value)
	}
	return out
}
