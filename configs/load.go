package configs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"sort"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"
)

// DefaultFile is read from the working directory when it is there and no files are named.
const DefaultFile = "temper.yaml"

const envPrefix = "TEMPER_"

// Options say where Load looks.
type Options struct {
	Files []string        // left to right; nil: DefaultFile if it exists
	Set   []string        // a.b=c, applied last
	Env   func() []string // NAME=value pairs; nil: os.Environ
}

// Load returns the settings in force: defaults, then files left to right, then variables named TEMPER_S3_SECRET_KEY for
// s3.secret_key, then Set. Every layer is checked as it enters, so an error names its file and line, its variable, or --set.
// An empty variable counts as not set. A TEMPER_ variable that is no setting is refused when it looks like a misspelt
// one, and otherwise left to its owner (Kubernetes puts such names into every pod).
func Load(o Options) (Settings, error) {
	v := viper.New()
	for key, value := range leaves(reflect.ValueOf(Default()), "") {
		v.SetDefault(key, value.Interface())
	}
	if err := loadFiles(v, o.Files); err != nil {
		return Settings{}, err
	}
	env := o.Env
	if env == nil {
		env = os.Environ
	}
	if err := loadEnv(v, env()); err != nil {
		return Settings{}, err
	}
	for _, set := range o.Set {
		key, raw, ok := strings.Cut(set, "=")
		if !ok || key == "" {
			return Settings{}, &Error{File: "--set", Path: key, Msg: "write it as a.b=c"}
		}
		if err := assign(v, "--set", strings.TrimSpace(key), raw); err != nil {
			return Settings{}, err
		}
	}
	var s Settings
	if err := v.Unmarshal(&s, func(c *mapstructure.DecoderConfig) { c.TagName = "yaml" }); err != nil {
		return Settings{}, fmt.Errorf("put the settings together: %w", err)
	}
	return s, s.Validate()
}

// Validate says every setting out of range, by its key.
func (s Settings) Validate() error {
	findings, err := Check(s)
	errs := []error{err}
	for _, f := range findings {
		errs = append(errs, &Error{Path: f.Path, Msg: f.Msg})
	}
	if strings.Contains(s.S3.Endpoint, "://") {
		errs = append(errs, &Error{Path: "s3.endpoint", Msg: "must be a host or host:port without a scheme; s3.tls chooses between http and https"})
	}
	return errors.Join(errs...)
}

// YAML writes the settings as a file that Load reads, secrets redacted.
func (s Settings) YAML() ([]byte, error) { return yaml.Marshal(s) }

func loadFiles(v *viper.Viper, files []string) error {
	optional := files == nil
	if optional {
		files = []string{DefaultFile}
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if optional && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("read settings: %w", err)
		}
		root, err := ParseYAML(file, data)
		if err != nil {
			return err
		}
		layer, err := typedLayer(file, root)
		if err != nil {
			return err
		}
		if err := v.MergeConfigMap(layer); err != nil {
			return fmt.Errorf("merge settings of %s: %w", file, err)
		}
	}
	return nil
}

func loadEnv(v *viper.Viper, environ []string) error {
	keys := map[string]string{} // variable -> key
	var known []string
	for key := range leaves(reflect.ValueOf(Default()), "") {
		name := envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
		keys[name] = key
		known = append(known, name)
	}
	sorted := append([]string(nil), environ...)
	sort.Strings(sorted) // so that the first error does not depend on the order
	for _, pair := range sorted {
		name, raw, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || raw == "" {
			continue
		}
		key, ok := keys[name]
		if !ok {
			if best, _ := Nearest(name, known); distance(name, best) <= 2 {
				return &Error{File: "environment", Path: name, Msg: "unknown setting; did you mean " + best + "?"}
			}
			continue
		}
		if err := assign(v, "environment "+name, key, raw); err != nil {
			return err
		}
	}
	return nil
}

// assign puts the text of one setting over all layers so far.
func assign(v *viper.Viper, source, key, raw string) error {
	path := strings.Split(key, ".")
	leaf, err := textNode(raw, typeAt(reflect.TypeFor[Settings](), path))
	if err != nil {
		for _, e := range AllErrors(err) {
			e.File, e.Path = source, key
		}
		return err
	}
	root := leaf
	for i := len(path) - 1; i >= 0; i-- {
		name := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: path[i]}
		root = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{name, root}}
	}
	layer, err := typedLayer(source, root)
	if err != nil {
		return err
	}
	var value any = layer
	for _, name := range path {
		value = value.(map[string]any)[name] // typedLayer keeps the shape that was built above
	}
	v.Set(key, value)
	return nil
}

// textNode turns the text of a variable or a flag into YAML for a setting of type t: text stays as it is, a list may be
// written a,b, everything else is read as YAML. A nil type, of an unknown setting, is left for Strict to refuse.
func textNode(raw string, t reflect.Type) (*yaml.Node, error) {
	switch {
	case t != nil && t.Kind() == reflect.String:
		return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Tag: "!!str", Value: raw}, nil
	case t != nil && t.Kind() == reflect.Slice && !strings.HasPrefix(raw, "["):
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for _, item := range strings.Split(raw, ",") {
			list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: strings.TrimSpace(item)})
		}
		return list, nil
	}
	return TextNode(raw)
}

// TextNode reads a value given on the command line as YAML. Its nodes have no line.
func TextNode(raw string) (*yaml.Node, error) {
	if strings.TrimSpace(raw) == "" {
		return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Tag: "!!str", Value: raw}, nil
	}
	root, err := ParseYAML("--set", []byte(raw))
	if err != nil {
		for _, e := range AllErrors(err) {
			e.Line = 0
		}
		return nil, err
	}
	clearLines(root)
	return root, nil
}

func clearLines(n *yaml.Node) {
	n.Line, n.Column = 0, 0
	for _, c := range n.Content {
		clearLines(c)
	}
}
