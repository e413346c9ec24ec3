package reward

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// PartSpec is one part of a reward as written in YAML or JSON: `{KIND: WEIGHT, option: value, …}`.
type PartSpec struct {
	Kind    string    // one of Kinds()
	Weight  float64   // factor of the part's value
	Bound   []float64 // optional [lo, hi] for the contribution weight*value
	Options Options   // the kind's own; nil: all at their defaults
}

// Validate refuses an unknown kind, options of another kind and values out of range, naming each.
// Kinds given to New by WithPart are unknown here.
func (p PartSpec) Validate() error {
	k, ok := registry[p.Kind]
	if !ok {
		return fmt.Errorf("reward: unknown part %q; known: %s", p.Kind, strings.Join(Kinds(), ", "))
	}
	o := p.options(k)
	if got, want := reflect.TypeOf(o), reflect.TypeOf(k.blank()); got != want || reflect.ValueOf(o).IsNil() {
		return fmt.Errorf("reward: %s: options are a %v, not a %v", p.Kind, want, got)
	}
	var errs []error
	p.checkCommon(reporter(p.Kind, &errs))
	o.check(reporter(p.Kind, &errs))
	return errors.Join(errs...)
}

// checkCommon checks weight and bound, which every kind has.
func (p PartSpec) checkCommon(bad report) {
	if !finite(p.Weight) {
		bad("weight", "must be finite, is %v", p.Weight)
	}
	switch {
	case p.Bound == nil:
	case len(p.Bound) != 2:
		bad("bound", "must be [lo, hi], has %d numbers", len(p.Bound))
	case !finite(p.Bound[0]) || !finite(p.Bound[1]):
		bad("bound", "must be finite, is %v", p.Bound)
	case p.Bound[0] > p.Bound[1]:
		bad("bound", "lo %v is above hi %v", p.Bound[0], p.Bound[1])
	}
}

// entry is a key of the mapping with what decodes its value.
type entry struct {
	key    string
	line   int // 0 where there are no lines
	decode func(into any) error
}

func (e entry) errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if e.line > 0 {
		return fmt.Errorf("line %d: %w", e.line, err)
	}
	return err
}

// read makes a part of a mapping: the key that names a kind gives kind and weight, the others are that kind's options.
func read(entries []entry) (PartSpec, error) {
	var out PartSpec
	for _, e := range entries {
		if _, ok := registry[e.key]; ok {
			out.Kind = e.key
			break
		}
	}
	k, ok := registry[out.Kind]
	if !ok {
		for _, e := range entries {
			if !optionOfAny(e.key) {
				out.Kind = e.key
				return out, e.errorf("%w", out.Validate())
			}
		}
		return out, out.Validate()
	}
	o := k.blank()
	fields := out.fields(o)
	for _, e := range entries {
		into := any(&out.Weight)
		if e.key != out.Kind {
			field, ok := fields[e.key]
			if !ok {
				return out, e.errorf("reward: %s: unknown option %q; known: %s", out.Kind, e.key, strings.Join(names(fields), ", "))
			}
			into = field.Interface()
		}
		if err := e.decode(into); err != nil {
			return out, e.errorf("reward: %s: %w", e.key, err)
		}
	}
	out.Options = o
	if reflect.ValueOf(o).Elem().IsZero() {
		out.Options = nil
	}
	return out, out.Validate()
}

// UnmarshalYAML reads `{correct: 1.0, answer: hash}`; errors name the line.
func (p *PartSpec) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: reward: a part is a mapping such as {correct: 1.0, answer: hash}", node.Line)
	}
	var entries []entry
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if seen[key.Value] {
			return fmt.Errorf("line %d: reward: %s: given twice", key.Line, key.Value)
		}
		seen[key.Value] = true
		entries = append(entries, entry{key.Value, key.Line, value.Decode})
	}
	out, err := read(entries)
	if err != nil {
		if !strings.HasPrefix(err.Error(), "line ") {
			err = fmt.Errorf("line %d: %w", node.Line, err)
		}
		return err
	}
	*p = out
	return nil
}

// UnmarshalJSON reads the same form as UnmarshalYAML.
func (p *PartSpec) UnmarshalJSON(b []byte) error {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("reward: a part is an object such as {\"correct\": 1, \"answer\": \"hash\"}: %w", err)
	}
	var entries []entry
	for _, key := range names(m) {
		entries = append(entries, entry{key: key, decode: func(into any) error { return json.Unmarshal(m[key], into) }})
	}
	out, err := read(entries)
	if err != nil {
		return err
	}
	*p = out
	return nil
}

type option struct {
	key   string
	value any
}

// written is kind and weight, then what is set beside them by name: equal specs give equal bytes.
func (p PartSpec) written() []option {
	var set []option
	if p.Bound != nil {
		set = append(set, option{"bound", p.Bound})
	}
	if p.Options != nil {
		eachField(reflect.ValueOf(p.Options).Elem(), func(name, _ string, v reflect.Value) {
			if !v.IsZero() {
				set = append(set, option{name, v.Interface()})
			}
		})
	}
	sort.Slice(set, func(i, j int) bool { return set[i].key < set[j].key })
	return append([]option{{p.Kind, p.Weight}}, set...)
}

// MarshalJSON writes the form that UnmarshalJSON reads.
func (p PartSpec) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, o := range p.written() {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(o.key)
		if err != nil {
			return nil, fmt.Errorf("reward: %s: %w", p.Kind, err)
		}
		value, err := json.Marshal(o.value)
		if err != nil {
			return nil, fmt.Errorf("reward: %s: %s: %w", p.Kind, o.key, err)
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// MarshalYAML writes the form that UnmarshalYAML reads.
func (p PartSpec) MarshalYAML() (any, error) {
	node := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, o := range p.written() {
		var key, value yaml.Node
		if err := key.Encode(o.key); err != nil {
			return nil, err
		}
		if err := value.Encode(o.value); err != nil {
			return nil, err
		}
		node.Content = append(node.Content, &key, &value)
	}
	return node, nil
}
