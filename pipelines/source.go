package pipelines

import (
	"errors"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"temper/configs"
)

// source remembers where the values of a pipeline were written.
type source struct {
	file  string
	lines map[string]int // dotted path -> line; 0 for values given by --set
}

// setSource names the command line in errors.
const setSource = "--set"

// record notes the line of every value below path.
func (s *source) record(n *yaml.Node, path string) {
	s.lines[path] = n.Line
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			s.record(n.Content[i+1], path+"."+n.Content[i].Value)
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			s.record(item, path+"["+strconv.Itoa(i)+"]")
		}
	}
}

// errorAt positions an error at path, or at the closest written value around it.
func (s *source) errorAt(path, msg string) *configs.Error {
	e := &configs.Error{Path: path, Msg: msg}
	if s == nil {
		return e
	}
	e.File = s.file
	for at := path; at != ""; {
		if line, ok := s.lines[at]; ok {
			e.Line = line
			break
		}
		cut := strings.LastIndexAny(at, ".[")
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	if _, exact := s.lines[path]; exact && e.Line == 0 {
		e.File = setSource
	}
	return e
}

// fromSet renames the file of errors about values that have no line: they came from the command line.
func fromSet(err error) error {
	for _, e := range configs.AllErrors(err) {
		if e.Line == 0 {
			e.File = setSource
		}
	}
	return err
}

// collect joins errors, dropping nil ones.
type collect struct{ errs []error }

func (c *collect) add(err error) {
	if err != nil {
		c.errs = append(c.errs, err)
	}
}

func (c *collect) err() error { return errors.Join(c.errs...) }
