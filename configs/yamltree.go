package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxNodes = 100_000 // of one document after aliases are written out; stops the alias bomb
	maxDepth = 100
)

// ParseYAML reads exactly one YAML document and returns its root with aliases and merge keys written out, so that every node has
// its own copy and its own line. Empty input gives an empty mapping. Duplicate keys and keys that are not plain text are refused.
func ParseYAML(file string, data []byte) (*yaml.Node, error) {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: 1}, nil
		}
		return nil, syntaxError(file, err)
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		return nil, &Error{File: file, Line: second.Line, Msg: "more than one YAML document; write one"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(file, err)
	}
	return writeOut(file, &doc)
}

// yamlLine finds the line in the texts of the YAML reader: "yaml: line 3: …".
var yamlLine = regexp.MustCompile(`line (\d+): ?`)

func syntaxError(file string, err error) error {
	e := &Error{File: file, Msg: strings.TrimPrefix(err.Error(), "yaml: "), Err: err}
	if m := yamlLine.FindStringSubmatch(e.Msg); m != nil {
		e.Line, _ = strconv.Atoi(m[1]) // digits by the pattern; an overflow leaves the line unknown
		e.Msg = strings.Replace(e.Msg, m[0], "", 1)
	}
	e.Msg = "not valid YAML: " + e.Msg
	return e
}

// writeOut copies the tree under n without aliases, merge keys and document nodes.
func writeOut(file string, n *yaml.Node) (*yaml.Node, error) {
	w := copier{file: file}
	out, err := w.copy(n, "", 0)
	if err != nil {
		return nil, err
	}
	if isNull(out) {
		return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: max(1, out.Line)}, nil
	}
	return out, nil
}

type copier struct {
	file  string
	nodes int
}

func (c *copier) fail(n *yaml.Node, path, format string, args ...any) error {
	return &Error{File: c.file, Line: n.Line, Path: path, Msg: fmt.Sprintf(format, args...)}
}

func (c *copier) copy(n *yaml.Node, path string, depth int) (*yaml.Node, error) {
	if c.nodes++; c.nodes > maxNodes {
		return nil, c.fail(n, path, "more than %d values once its aliases are written out", maxNodes)
	}
	if depth > maxDepth {
		return nil, c.fail(n, path, "nested more than %d deep, or an alias that contains itself", maxDepth)
	}
	switch n.Kind {
	case yaml.AliasNode:
		return c.copy(n.Alias, path, depth+1)
	case yaml.DocumentNode:
		if len(n.Content) == 0 {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Line: n.Line}, nil
		}
		return c.copy(n.Content[0], path, depth+1)
	case yaml.MappingNode:
		return c.mapping(n, path, depth)
	}
	out := bare(n)
	for i, child := range n.Content {
		copied, err := c.copy(child, join(path, "["+strconv.Itoa(i)+"]"), depth+1)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, copied)
	}
	return out, nil
}

// mapping copies a mapping; keys of its own win over merged ones, and an earlier merge over a later one.
func (c *copier) mapping(n *yaml.Node, path string, depth int) (*yaml.Node, error) {
	out := bare(n)
	own := map[string]int{} // key -> line
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return nil, c.fail(n.Content[i], path, "a key must be plain text")
		}
		if key.Value == "<<" && key.ShortTag() == "!!merge" {
			merges = append(merges, value)
			continue
		}
		if line, twice := own[key.Value]; twice {
			return nil, c.fail(key, join(path, key.Value), "set twice; the first is on line %d", line)
		}
		own[key.Value] = key.Line
		copied, err := c.copy(value, join(path, key.Value), depth+1)
		if err != nil {
			return nil, err
		}
		out.Content = append(out.Content, bare(key), copied)
	}
	for _, m := range merges {
		if err := c.merge(out, own, m, path, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *copier) merge(out *yaml.Node, own map[string]int, value *yaml.Node, path string, depth int) error {
	from, err := c.copy(value, path, depth+1)
	if err != nil {
		return err
	}
	sources := []*yaml.Node{from}
	if from.Kind == yaml.SequenceNode {
		sources = from.Content
	}
	for _, s := range sources {
		if s.Kind != yaml.MappingNode {
			return c.fail(s, join(path, "<<"), "only a mapping can be merged")
		}
		for i := 0; i+1 < len(s.Content); i += 2 {
			if _, has := own[s.Content[i].Value]; !has {
				own[s.Content[i].Value] = s.Content[i].Line
				out.Content = append(out.Content, s.Content[i], s.Content[i+1])
			}
		}
	}
	return nil
}

// bare copies a node without its children, anchor and comments.
func bare(n *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: n.Kind, Style: n.Style, Tag: n.Tag, Value: n.Value, Line: n.Line, Column: n.Column}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// Child returns the value of a key of a mapping, or nil.
func Child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
