package configs

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Strict decodes node into the struct that into points to. Fields are named by their yaml tags (default: the lower-cased name;
// ",inline" for embedded structs); what the document leaves out keeps the value it has. Refused, all of them at once and each with
// file, line and dotted path: unknown keys (naming the nearest known one), values of another type, empty values, whole numbers
// with a fraction, and numbers that are not finite. A type that implements yaml.Unmarshaler or encoding.TextUnmarshaler checks
// itself, and its error gets the position. On an error into may be left half written.
func Strict(file string, node *yaml.Node, into any) error { return StrictAt(file, "", node, into) }

// StrictAt is Strict for a part of a document: path is what stands before every path in the errors.
func StrictAt(file, path string, node *yaml.Node, into any) error {
	target := reflect.ValueOf(into)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fmt.Errorf("decode %s: the target must be a non-nil pointer, is %T", file, into)
	}
	tree, err := writeOut(file, node)
	if err != nil {
		return err
	}
	w := walker{file: file}
	w.walk(tree, target.Type().Elem(), path)
	if len(w.errs) > 0 {
		return errors.Join(w.errs...)
	}
	if err := tree.Decode(into); err != nil {
		return &Error{File: file, Line: tree.Line, Path: path, Msg: cleanYAML(err), Err: err}
	}
	return nil
}

var (
	unmarshalerType     = reflect.TypeFor[yaml.Unmarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
	nodeType            = reflect.TypeFor[yaml.Node]()
	durationType        = reflect.TypeFor[time.Duration]()
)

// walker checks a tree against a type before anything is decoded, so that every error has a position.
type walker struct {
	file string
	errs []error
}

func (w *walker) fail(n *yaml.Node, path, format string, args ...any) {
	w.errs = append(w.errs, &Error{File: w.file, Line: n.Line, Path: path, Msg: fmt.Sprintf(format, args...)})
}

func (w *walker) walk(n *yaml.Node, t reflect.Type, path string) {
	if t.Kind() == reflect.Pointer {
		if !isNull(n) {
			w.walk(n, t.Elem(), path)
		}
		return
	}
	if t == nodeType || t.Kind() == reflect.Interface {
		return
	}
	if isNull(n) {
		w.fail(n, path, "is empty; give a value or remove the line")
		return
	}
	if p := reflect.PointerTo(t); p.Implements(unmarshalerType) || p.Implements(textUnmarshalerType) {
		if err := n.Decode(reflect.New(t).Interface()); err != nil {
			w.errs = append(w.errs, &Error{File: w.file, Line: n.Line, Path: path, Msg: cleanYAML(err), Err: err})
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		w.mapping(n, path, func(key *yaml.Node) (reflect.Type, bool) {
			fields := yamlFields(t)
			ft, ok := fields[key.Value]
			if !ok {
				w.unknown(key, path, fields)
			}
			return ft, ok
		})
	case reflect.Map:
		w.mapping(n, path, func(*yaml.Node) (reflect.Type, bool) { return t.Elem(), true })
	case reflect.Slice, reflect.Array:
		if n.Kind != yaml.SequenceNode {
			w.fail(n, path, "expected a list, found %s", describe(n))
			return
		}
		for i, item := range n.Content {
			w.walk(item, t.Elem(), path+"["+strconv.Itoa(i)+"]")
		}
		if t.Kind() == reflect.Array && len(n.Content) != t.Len() {
			w.fail(n, path, "expected %d values, found %d", t.Len(), len(n.Content))
		}
	default:
		w.scalar(n, t, path)
	}
}

func (w *walker) mapping(n *yaml.Node, path string, fieldOf func(key *yaml.Node) (reflect.Type, bool)) {
	if n.Kind != yaml.MappingNode {
		w.fail(n, path, "expected key: value settings, found %s", describe(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if t, ok := fieldOf(n.Content[i]); ok {
			w.walk(n.Content[i+1], t, join(path, n.Content[i].Value))
		}
	}
}

func (w *walker) unknown(key *yaml.Node, path string, fields map[string]reflect.Type) {
	known := make([]string, 0, len(fields))
	for name := range fields {
		known = append(known, name)
	}
	prefix := ""
	if path != "" {
		prefix = path + "."
	}
	w.fail(key, join(path, key.Value), "unknown setting%s", Suggest(key.Value, prefix, known))
}

func (w *walker) scalar(n *yaml.Node, t reflect.Type, path string) {
	want := kindName(t)
	if n.Kind != yaml.ScalarNode {
		w.fail(n, path, "expected %s, found %s", want, describe(n))
		return
	}
	v := reflect.New(t)
	if err := n.Decode(v.Interface()); err != nil {
		w.fail(n, path, "expected %s, found %s", want, describe(n))
		return
	}
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		if f := v.Elem().Float(); math.IsNaN(f) || math.IsInf(f, 0) {
			w.fail(n, path, "expected a finite number, found %s", describe(n))
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		// The YAML reader cuts 2.5 to 2 and accepts 1e3; a fraction is refused here, 1e3 is fine.
		var f float64
		if n.ShortTag() == "!!float" && (n.Decode(&f) != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 || f < 0 && v.Elem().CanUint()) {
			w.fail(n, path, "expected %s, found %s", want, describe(n))
		}
	}
}

// yamlFields lists the settings of a struct type by name, inlined structs included.
func yamlFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline"):
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			for k, v := range yamlFields(inner) {
				fields[k] = v
			}
		case name == "-" || !f.IsExported():
		case name == "":
			fields[strings.ToLower(f.Name)] = f.Type
		default:
			fields[name] = f.Type
		}
	}
	return fields
}

func kindName(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 30s"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.String:
		return "text"
	case t.Kind() == reflect.Float32 || t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uintptr:
		return "a whole number, 0 or above"
	}
	return "a whole number"
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if r := []rune(n.Value); len(r) > 40 {
		return strconv.Quote(string(r[:40])) + "…"
	}
	return strconv.Quote(n.Value)
}

// cleanYAML takes the reader's own words off an error; position and path stand in front of it already.
func cleanYAML(err error) string {
	var te *yaml.TypeError
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	if errors.As(err, &te) {
		msg = strings.Join(te.Errors, "; ")
	}
	return yamlLine.ReplaceAllString(msg, "")
}
