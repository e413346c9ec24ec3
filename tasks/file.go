package tasks

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

// maxLineBytes bounds a line, so that a file that is not JSON lines fails with a message instead of filling the memory.
const maxLineBytes = 64 << 20

// loadFile reads the rows, shuffles and cuts them, and leaves banned prompts out before it cuts.
func (s Source) loadFile(ctx context.Context, banned map[string]bool) ([]Problem, error) {
	f, err := os.Open(s.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := maybeGzip(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.File, err)
	}
	read, err := s.rowReader()
	if err != nil {
		return nil, err
	}
	var out []Problem
	seen := map[string]int{}
	err = eachLine(r, func(line int, text []byte) error {
		if line%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p, err := read(line, text)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", s.File, line, err)
		}
		if before, ok := seen[p.ID]; ok {
			return fmt.Errorf("%s:%d: the id %q was given in line %d", s.File, line, p.ID, before)
		}
		seen[p.ID] = line
		if !banned[p.Prompt] {
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

// maybeGzip looks at the first bytes, not at the name.
func maybeGzip(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	if magic, err := b.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		return gzip.NewReader(b)
	}
	return b, nil
}

// eachLine calls f with each line that is not blank; lines count from 1. A byte-order mark and carriage returns are dropped.
func eachLine(r io.Reader, f func(line int, text []byte) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 1<<16), maxLineBytes)
	line := 0
	for sc.Scan() {
		line++
		text := sc.Bytes()
		if line == 1 {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
		}
		if text = bytes.TrimSpace(text); len(text) == 0 {
			continue
		}
		if err := f(line, text); err != nil {
			return err
		}
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("line %d: %w", line+1, err)
	}
	return nil
}

// rowReader builds the function that turns one line into a problem.
func (s Source) rowReader() (func(line int, text []byte) (Problem, error), error) {
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
	base := strings.TrimSuffix(filepath.Base(s.File), ".gz")
	return func(line int, text []byte) (Problem, error) {
		row, err := decodeRow(text)
		if err != nil {
			return Problem{}, err
		}
		p := Problem{ID: fmt.Sprintf("%s:%d", base, line), Source: s.File}
		switch s.Format {
		case "gsm8k":
			err = gsm8kRow(row, &p)
		case "messages":
			err = messagesRow(text, &p)
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

// decodeRow reads one JSON object and keeps its numbers as they are written.
func decodeRow(text []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var row map[string]any
	if err := dec.Decode(&row); err != nil {
		return nil, fmt.Errorf("not a JSON object: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value in the line")
	}
	if row == nil {
		return nil, errors.New("not a JSON object: null")
	}
	return row, nil
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
	if s.AnswerForm != "" {
		p.Meta = map[string]string{"answer": s.AnswerForm}
	}
	return nil
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
	inner, isMap := row[head].(map[string]any)
	if !isMap {
		return nil, false
	}
	return lookup(inner, rest)
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
