package configs

import (
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// optionName is how a plugin option may be named: viper folds case and splits at dots.
var optionName = regexp.MustCompile(`^[a-z0-9_]+$`)

// typedLayer checks a tree against Settings and returns its values as nested maps. Leaves have the type of their field, so that
// text such as 0123 in a key does not become a number on its way through viper.
func typedLayer(file string, root *yaml.Node) (map[string]any, error) {
	var probe Settings
	if err := Strict(file, root, &probe); err != nil {
		return nil, err
	}
	options := Child(Child(root, "xla"), "options")
	for i := 0; options != nil && i+1 < len(options.Content); i += 2 {
		if key := options.Content[i]; !optionName.MatchString(key.Value) {
			return nil, &Error{File: file, Line: key.Line, Path: "xla.options." + key.Value, Msg: "must be lower-case letters, digits and underscores"}
		}
	}
	layer, err := typedValue(root, reflect.TypeFor[Settings]())
	if err != nil {
		return nil, &Error{File: file, Line: root.Line, Msg: cleanYAML(err), Err: err}
	}
	return layer.(map[string]any), nil // Settings is a struct
}

func typedValue(n *yaml.Node, t reflect.Type) (any, error) {
	if t.Kind() != reflect.Struct && t.Kind() != reflect.Map {
		v := reflect.New(t)
		if err := n.Decode(v.Interface()); err != nil {
			return nil, err
		}
		return v.Elem().Interface(), nil
	}
	out := map[string]any{}
	var fields map[string]reflect.Type
	if t.Kind() == reflect.Struct {
		fields = yamlFields(t)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := n.Content[i].Value
		ft := fields[name]
		if t.Kind() == reflect.Map {
			ft = t.Elem()
		}
		value, err := typedValue(n.Content[i+1], ft)
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, nil
}

// leaves lists the settings of a struct that are not structs, by dotted key.
func leaves(v reflect.Value, path string) map[string]reflect.Value {
	out := map[string]reflect.Value{}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		key := join(path, name)
		if v.Field(i).Kind() != reflect.Struct {
			out[key] = v.Field(i)
			continue
		}
		for k, leaf := range leaves(v.Field(i), key) {
			out[k] = leaf
		}
	}
	return out
}

// typeAt returns the type of the setting at a path, or nil when there is none.
func typeAt(t reflect.Type, path []string) reflect.Type {
	for _, name := range path {
		switch t.Kind() {
		case reflect.Struct:
			ft, ok := yamlFields(t)[name]
			if !ok {
				return nil
			}
			t = ft
		case reflect.Map:
			t = t.Elem()
		default:
			return nil
		}
	}
	return t
}
