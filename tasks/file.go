package tasks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"

	"temper/tasks/rows"
)

// loadFile reads the rows, shuffles and cuts them, and leaves banned prompts, and what is cleaned away, out before it cuts.
func (s Source) loadFile(ctx context.Context, banned map[string]bool, c *cleaner) ([]Problem, error) {
	read, err := s.rowReader()
	if err != nil {
		return nil, err
	}
	var out []Problem
	seen := map[string]string{}
	err = rows.Each(ctx, s.File, rows.Options{Split: s.Split, Columns: s.Columns}, func(row rows.Row) error {
		p, err := read(row)
		if err != nil {
			return err
		}
		where := fmt.Sprintf("line %d", row.Number)
		if row.File != s.File {
			where += " of " + row.File
		}
		if before, ok := seen[p.ID]; ok {
			return fmt.Errorf("the id %q was given in %s", p.ID, before)
		}
		seen[p.ID] = where
		if !banned[p.Prompt] && c.keeps(p) {
			out = append(out, p)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return s.cut(out)
}

// cut shuffles, then takes Limit problems from Offset on.
func (s Source) cut(ps []Problem) ([]Problem, error) {
	if s.ShuffleSeed != nil {
		rng := rand.New(rand.NewPCG(*s.ShuffleSeed, 0))
		rng.Shuffle(len(ps), func(i, j int) { ps[i], ps[j] = ps[j], ps[i] })
	}
	if s.Turn > 0 && s.Limit > 0 && len(ps) > 0 {
		return s.window(ps), nil
	}
	if s.Offset > 0 && s.Offset >= len(ps) {
		return nil, fmt.Errorf("offset: %d leaves nothing of %d problems", s.Offset, len(ps))
	}
	ps = ps[s.Offset:]
	if s.Limit > 0 && s.Limit < len(ps) {
		ps = ps[:s.Limit]
	}
	return slices.Clip(ps), nil
}

// rowReader builds the function that turns one row into a problem.
func (s Source) rowReader() (func(rows.Row) (Problem, error), error) {
	text := s.Template
	if text == "" && s.Format == "gsm8k" {
		text = "Question: {{.question}}\nAnswer:"
	}
	var prompt *template.Template
	if text != "" {
		var err error
		if prompt, err = template.New("template").Option("missingkey=error").Parse(text); err != nil {
			return nil, err
		}
	}
	return func(line rows.Row) (Problem, error) {
		row := line.Fields
		p := Problem{ID: fmt.Sprintf("%s:%d", rows.Base(line.File), line.Number), Source: s.File}
		var err error
		switch s.Format {
		case "gsm8k":
			err = gsm8kRow(row, &p)
		case "messages":
			err = messagesRow(bytes.Clone(line.JSON), &p)
		default:
			err = s.jsonRow(row, &p)
		}
		if err != nil {
			return Problem{}, err
		}
		if prompt != nil {
			var b strings.Builder
			if err := prompt.Execute(&b, row); err != nil {
				return Problem{}, err
			}
			p.Prompt = b.String()
		}
		if strings.TrimSpace(p.Prompt) == "" {
			return Problem{}, errors.New("the prompt is empty")
		}
		if last, _ := utf8.DecodeLastRuneInString(p.Prompt); s.Format == "gsm8k" && !unicode.IsSpace(last) {
			p.Solution = " " + p.Solution // the demonstration goes on right behind the prompt: "Answer: Janet …"
		}
		return p, nil
	}, nil
}

// calculator marks such as <<16-3-4=9>> are GSM8K's annotations for a tool, not text to imitate.
var calculator = regexp.MustCompile(`<<[^<>]*>>`)

// gsm8kRow takes question and answer in the form of openai/grade-school-math.
func gsm8kRow(row map[string]any, p *Problem) error {
	question, err := field(row, "question", true)
	if err != nil {
		return err
	}
	full, err := field(row, "answer", true)
	if err != nil {
		return err
	}
	thought, answer, ok := strings.Cut(full, "####")
	answer = strings.TrimSpace(answer)
	if !ok || answer == "" {
		return errors.New(`field "answer": has no final answer after "####"`)
	}
	p.Concepts, p.Difficulty = calculations(question, calculator.FindAllString(thought, -1))
	thought = strings.TrimSpace(calculator.ReplaceAllString(thought, ""))
	p.Answer = strings.ReplaceAll(answer, ",", "")
	p.Solution = thought + "\n#### " + p.Answer
	p.Meta = map[string]string{"answer": "gsm8k"}
	return nil
}

// calculations are the concepts of a problem of GSM8K as far as its own annotations tell: which operations its solution uses, and whether
// the question speaks of percentages. The difficulty is the number of calculations.
func calculations(question string, marks []string) (concepts []string, difficulty int) {
	for _, op := range []struct{ sign, concept string }{{"+", "addition"}, {"-", "subtraction"}, {"*", "multiplication"}, {"/", "division"}} {
		for _, m := range marks {
			left, _, _ := strings.Cut(strings.TrimPrefix(m, "<<"), "=")
			// A sign in front is a negative number, not a subtraction.
			if strings.Contains(strings.TrimPrefix(left, "-"), op.sign) {
				concepts = append(concepts, op.concept)
				break
			}
		}
	}
	if strings.Contains(question, "%") || strings.Contains(question, "percent") {
		concepts = append(concepts, "percentage")
	}
	slices.Sort(concepts)
	return concepts, len(marks)
}

// jsonRow takes the fields that the source names; a field that is named must be there, a default may be missing.
func (s Source) jsonRow(row map[string]any, p *Problem) error {
	get := func(named, def string) (string, error) {
		if named != "" {
			return field(row, named, true)
		}
		if v, _ := lookup(row, def); isList(v) { // it is something else by that name
			return "", nil
		}
		return field(row, def, false)
	}
	var err error
	set := func(to *string, named, def string) {
		if err == nil {
			*to, err = get(named, def)
		}
	}
	var id, difficulty string
	set(&id, s.Fields.ID, "id")
	if s.Template == "" {
		named := s.Fields.Prompt
		if named == "" {
			named = "prompt"
		}
		set(&p.Prompt, named, named)
	}
	set(&p.Answer, s.Fields.Answer, "answer")
	set(&p.Solution, s.Fields.Solution, "solution")
	set(&difficulty, s.Fields.Difficulty, "difficulty")
	if err != nil {
		return err
	}
	if id != "" {
		p.ID = id
	}
	if n, err := strconv.Atoi(difficulty); err == nil {
		p.Difficulty = n
	} else if s.Fields.Difficulty != "" {
		return fmt.Errorf("field %q: %q is not a whole number", s.Fields.Difficulty, difficulty)
	}
	if p.Concepts, err = conceptsOf(row, s.Fields.Concepts); err != nil {
		return err
	}
	p.Meta = metaOf(row)
	if p.Meta == nil && (s.AnswerForm != "" || len(s.Fields.Meta) > 0) {
		p.Meta = map[string]string{}
	}
	for name, path := range s.Fields.Meta {
		if p.Meta[name], err = metaField(row, path); err != nil {
			return err
		}
	}
	if s.AnswerForm != "" {
		p.Meta["answer"] = s.AnswerForm
	}
	return nil
}

// metaField reads a field for Meta, which holds texts: lists and objects as JSON.
func metaField(row map[string]any, path string) (string, error) {
	if v, ok := lookup(row, path); ok && isList(v) {
		text, err := json.Marshal(v)
		return string(text), err
	}
	return field(row, path, true)
}

// metaOf takes Meta from rows that are temper's own, as an evaluation's unsolved problems are; nil from others.
func metaOf(row map[string]any) map[string]string {
	own, ok := row["meta"].(map[string]any)
	if !ok {
		return nil
	}
	out := map[string]string{}
	for name, v := range own {
		text, ok := v.(string)
		if !ok {
			return nil
		}
		out[name] = text
	}
	return out
}

func isList(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

// field reads a text, number or truth value at a dotted path.
func field(row map[string]any, path string, required bool) (string, error) {
	v, ok := lookup(row, path)
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case nil:
		if ok || !required {
			return "", nil
		}
		return "", fmt.Errorf("has no field %q", path)
	case map[string]any:
		return "", fmt.Errorf("field %q: is neither text nor a number; below it are %s", path, strings.Join(slices.Sorted(maps.Keys(v)), ", "))
	default:
		return "", fmt.Errorf("field %q: is neither text nor a number", path)
	}
}

func lookup(row map[string]any, path string) (any, bool) {
	if v, ok := row[path]; ok { // a name may itself have dots
		return v, true
	}
	head, rest, ok := strings.Cut(path, ".")
	if !ok {
		return nil, false
	}
	switch inner := row[head].(type) {
	case map[string]any:
		return lookup(inner, rest)
	case []any: // a place in a list is a name there
		named := make(map[string]any, len(inner))
		for i, v := range inner {
			named[strconv.Itoa(i)] = v
		}
		return lookup(named, rest)
	}
	return nil, false
}

// conceptsOf reads a list of texts, or one text, sorted and without repeats.
func conceptsOf(row map[string]any, named string) ([]string, error) {
	path := named
	if path == "" {
		path = "concepts"
	}
	v, ok := lookup(row, path)
	if !ok && named != "" {
		return nil, fmt.Errorf("has no field %q", named)
	}
	var out []string
	switch v := v.(type) {
	case nil:
	case string:
		out = []string{v}
	case []any:
		for _, e := range v {
			text, isText := e.(string)
			if !isText {
				return nil, fmt.Errorf("field %q: must hold texts", path)
			}
			out = append(out, text)
		}
	default:
		return nil, fmt.Errorf("field %q: must be a text or a list of texts", path)
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}
