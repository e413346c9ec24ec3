package reward

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// kindOptions lists what may stand beside each kind's weight.
var kindOptions = map[string][]string{
	"correct":        {"answer", "bound", "finished"},
	"format":         {"bound", "pattern"},
	"length":         {"bound", "max", "shape", "target", "unit"},
	"repetition":     {"bound", "n"},
	"distinct":       {"bound"},
	"required_words": {"bound"},
	"service":        {"batch", "bound", "timeout_seconds", "url"},
}

var (
	answerForms  = []string{"auto", "boxed", "checked", "exact", "gsm8k", "hash", "math"}
	lengthShapes = []string{"cosine", "linear", "target"}
	lengthUnits  = []string{"tokens", "words"}
)

// Kinds lists the built-in kinds of parts, sorted.
func Kinds() []string {
	out := make([]string, 0, len(kindOptions))
	for k := range kindOptions {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Validate refuses an unknown kind, options of another kind and values out of range, naming each.
// Kinds given to New by WithPart are unknown here.
func (p PartSpec) Validate() error {
	if _, ok := kindOptions[p.Kind]; !ok {
		return fmt.Errorf("reward: unknown part %q; known: %s", p.Kind, strings.Join(Kinds(), ", "))
	}
	var errs []error
	for _, o := range p.options() {
		if !slices.Contains(kindOptions[p.Kind], o.key) {
			errs = append(errs, fmt.Errorf("reward: %s: has no option %q; known: %s", p.Kind, o.key, strings.Join(kindOptions[p.Kind], ", ")))
		}
	}
	errs = append(errs, p.validateCommon(), oneOf(p.Kind, "answer", p.Answer, answerForms),
		oneOf(p.Kind, "shape", p.Shape, lengthShapes), oneOf(p.Kind, "unit", p.Unit, lengthUnits))
	if p.Kind == "format" && p.Pattern == "" {
		errs = append(errs, errors.New("reward: format: pattern: must be given"))
	}
	if p.Kind == "length" {
		errs = append(errs, p.validateLength())
	}
	if p.Kind == "service" {
		errs = append(errs, validateURL(p.Kind, p.URL))
	}
	if p.Batch < 0 {
		errs = append(errs, fmt.Errorf("reward: %s: batch: must be at least 1, is %d", p.Kind, p.Batch))
	}
	if !finite(p.TimeoutSeconds) || p.TimeoutSeconds < 0 {
		errs = append(errs, fmt.Errorf("reward: %s: timeout_seconds: must be finite and not negative, is %v", p.Kind, p.TimeoutSeconds))
	}
	if p.N < 0 {
		errs = append(errs, fmt.Errorf("reward: %s: n: must be at least 1, is %d", p.Kind, p.N))
	}
	return errors.Join(errs...)
}

// validateCommon checks weight and bound, which every kind has.
func (p PartSpec) validateCommon() error {
	if !finite(p.Weight) {
		return fmt.Errorf("reward: %s: weight: must be finite, is %v", p.Kind, p.Weight)
	}
	switch {
	case p.Bound == nil:
		return nil
	case len(p.Bound) != 2:
		return fmt.Errorf("reward: %s: bound: must be [lo, hi], has %d numbers", p.Kind, len(p.Bound))
	case !finite(p.Bound[0]) || !finite(p.Bound[1]):
		return fmt.Errorf("reward: %s: bound: must be finite, is %v", p.Kind, p.Bound)
	case p.Bound[0] > p.Bound[1]:
		return fmt.Errorf("reward: %s: bound: lo %v is above hi %v", p.Kind, p.Bound[0], p.Bound[1])
	}
	return nil
}

func (p PartSpec) validateLength() error {
	switch {
	case !finite(p.Target) || p.Target < 0:
		return fmt.Errorf("reward: length: target: must be finite and not negative, is %v", p.Target)
	case !finite(p.Max) || p.Max < 0:
		return fmt.Errorf("reward: length: max: must be finite and not negative, is %v", p.Max)
	case (p.Shape == "" || p.Shape == "target") && p.Target == 0:
		return errors.New("reward: length: target: must be above 0 for shape target")
	case (p.Shape == "linear" || p.Shape == "cosine") && p.Max == 0 && p.Unit == "words":
		return fmt.Errorf("reward: length: max: must be given for shape %s in words", p.Shape)
	}
	return nil
}

func oneOf(kind, key, value string, known []string) error {
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("reward: %s: %s: unknown %q; known: %s", kind, key, value, strings.Join(known, ", "))
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

type option struct {
	key   string
	value any
}

// options lists what is set beside kind and weight, in the order of their names.
func (p PartSpec) options() []option {
	var out []option
	add := func(set bool, key string, value any) {
		if set {
			out = append(out, option{key, value})
		}
	}
	add(p.Answer != "", "answer", p.Answer)
	add(p.Batch != 0, "batch", p.Batch)
	add(p.Bound != nil, "bound", p.Bound)
	add(p.Finished, "finished", p.Finished)
	add(p.Max != 0, "max", p.Max)
	add(p.N != 0, "n", p.N)
	add(p.Pattern != "", "pattern", p.Pattern)
	add(p.Shape != "", "shape", p.Shape)
	add(p.Target != 0, "target", p.Target)
	add(p.TimeoutSeconds != 0, "timeout_seconds", p.TimeoutSeconds)
	add(p.Unit != "", "unit", p.Unit)
	add(p.URL != "", "url", p.URL)
	return out
}

// set decodes one key of the mapping; a key that is no option is the kind, and there must be exactly one.
func (p *PartSpec) set(key string, decode func(any) error) error {
	var into any
	switch key {
	case "answer":
		into = &p.Answer
	case "batch":
		into = &p.Batch
	case "bound":
		into = &p.Bound
	case "finished":
		into = &p.Finished
	case "max":
		into = &p.Max
	case "n":
		into = &p.N
	case "pattern":
		into = &p.Pattern
	case "shape":
		into = &p.Shape
	case "target":
		into = &p.Target
	case "timeout_seconds":
		into = &p.TimeoutSeconds
	case "unit":
		into = &p.Unit
	case "url":
		into = &p.URL
	default:
		if p.Kind != "" {
			if _, known := kindOptions[p.Kind]; !known {
				p.Kind, key = key, p.Kind // the known one of the two is the kind, the other is what is wrong
			}
			return fmt.Errorf("reward: %s: unknown option %q; known: %s", p.Kind, key, strings.Join(kindOptions[p.Kind], ", "))
		}
		p.Kind, into = key, &p.Weight
	}
	if err := decode(into); err != nil {
		return fmt.Errorf("reward: %s: %w", key, err)
	}
	return nil
}

// UnmarshalYAML reads `{correct: 1.0, answer: hash}`; errors name the line.
func (p *PartSpec) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: reward: a part is a mapping such as {correct: 1.0, answer: hash}", node.Line)
	}
	var out PartSpec
	seen := map[string]bool{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if seen[key.Value] {
			return fmt.Errorf("line %d: reward: %s: given twice", key.Line, key.Value)
		}
		seen[key.Value] = true
		if err := out.set(key.Value, value.Decode); err != nil {
			return fmt.Errorf("line %d: %w", key.Line, err)
		}
	}
	if err := out.Validate(); err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
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
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var out PartSpec
	for _, k := range keys {
		if err := out.set(k, func(into any) error { return json.Unmarshal(m[k], into) }); err != nil {
			return err
		}
	}
	if err := out.Validate(); err != nil {
		return err
	}
	*p = out
	return nil
}

// MarshalJSON writes kind and weight first, then the options by name: equal specs give equal bytes.
func (p PartSpec) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, o := range append([]option{{p.Kind, p.Weight}}, p.options()...) {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(o.key)
		if err != nil {
			return nil, err
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
	for _, o := range append([]option{{p.Kind, p.Weight}}, p.options()...) {
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
