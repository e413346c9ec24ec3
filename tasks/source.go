package tasks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"temper/tasks/procedural"
)

// DefaultCount is how many problems a procedural source has when it does not say.
const DefaultCount = 1000

// maxCount bounds a list that is held in memory.
const maxCount = 10_000_000

// Source is one named task set as a pipeline's YAML has it: exactly one of Procedural and File.
type Source struct {
	// Procedural names a domain: chain, stories, a generator (see Generators), or a mixture of generators (see mixture): math, logic, all, …
	Procedural string `yaml:"procedural,omitempty" json:"procedural,omitempty"`
	Seed       uint64 `yaml:"seed,omitempty" json:"seed,omitempty"`
	// Count is how many problems Load gives; default 1000. At goes on beyond it.
	Count int `yaml:"count,omitempty" json:"count,omitempty"`
	// Concepts restricts the problems: operations of chain (default all eight), things of stories. Generators have none to choose.
	Concepts []string `yaml:"concepts,omitempty" json:"concepts,omitempty"`
	// Difficulty is [lo, hi], both included: steps of chain (default [1, 3]), required words of stories (default [1, 2]), the dial of a generator
	// (default [1, 5] of 1 to 10).
	Difficulty []int `yaml:"difficulty,omitempty" json:"difficulty,omitempty"`
	// Noise (chain) is the probability that a step of the demonstration is wrong.
	Noise float64 `yaml:"noise,omitempty" json:"noise,omitempty"`
	// Direct (chain) is the probability that the demonstration is the bare answer.
	Direct float64 `yaml:"direct,omitempty" json:"direct,omitempty"`
	// Mislabel (chain) is the probability that the gold answer is wrong.
	Mislabel float64 `yaml:"mislabel,omitempty" json:"mislabel,omitempty"`
	// Tag (chain) puts the problem's operations before the prompt.
	Tag bool `yaml:"tag,omitempty" json:"tag,omitempty"`

	// File is a path to JSON lines, JSON, CSV, TSV or Parquet, plain or compressed (gzip, zstd), or to a folder of such files, as a Hugging Face
	// data set is one.
	File string `yaml:"file,omitempty" json:"file,omitempty"`
	// Split is that of a folder which has several: train, test, validation, …
	Split string `yaml:"split,omitempty" json:"split,omitempty"`
	// Columns names the columns of CSV and TSV without a header.
	Columns []string `yaml:"columns,omitempty" json:"columns,omitempty"`
	// Format is gsm8k, messages or jsonl (default). Rows of messages are conversations, which sft trains on by the model's chat template.
	Format string `yaml:"format,omitempty" json:"format,omitempty"`
	// Fields names the row's fields (jsonl); a nested one as a.b, a place in a list as a.0.
	Fields Fields `yaml:"fields,omitempty" json:"fields,omitzero"`
	// Template is a text/template over the row that makes the prompt: "Question: {{.question}}\nAnswer:".
	Template string `yaml:"template,omitempty" json:"template,omitempty"`
	// AnswerForm is how the reward finds the answer in a response: one of answerForms; kept in Meta["answer"].
	AnswerForm string `yaml:"answer_form,omitempty" json:"answer_form,omitempty"`
	// ShuffleSeed, where given, shuffles the rows before Offset and Limit cut them.
	ShuffleSeed *uint64 `yaml:"shuffle_seed,omitempty" json:"shuffle_seed,omitempty"`
	Offset      int     `yaml:"offset,omitempty" json:"offset,omitempty"`
	Limit       int     `yaml:"limit,omitempty" json:"limit,omitempty"` // 0: all

	// Clean leaves out duplicates, and what evaluations have.
	Clean Cleaning `yaml:"clean,omitempty" json:"clean,omitzero"`

	// Vary gives each occurrence of a schedule problems of its own; a file then needs Limit, of which each occurrence takes the next.
	Vary bool `yaml:"vary,omitempty" json:"vary,omitempty"`
	// Turn is the occurrence of a file with Vary (see Turned).
	Turn uint64 `yaml:"-" json:"turn,omitempty"`

	// Exclude names other task sets whose prompts must not occur in this one (see LoadSets).
	Exclude []string `yaml:"exclude,omitempty" json:"exclude,omitempty"`
}

// Fields names the fields of a row. Defaults: prompt, answer, solution, and id, concepts and difficulty where the row has them.
type Fields struct {
	ID         string `yaml:"id,omitempty" json:"id,omitempty"`
	Prompt     string `yaml:"prompt,omitempty" json:"prompt,omitempty"`
	Answer     string `yaml:"answer,omitempty" json:"answer,omitempty"`
	Solution   string `yaml:"solution,omitempty" json:"solution,omitempty"`
	Concepts   string `yaml:"concepts,omitempty" json:"concepts,omitempty"`
	Difficulty string `yaml:"difficulty,omitempty" json:"difficulty,omitempty"`
	// Meta names the fields that become Meta of a problem, by their names there: {language: lang, tests: test}. Lists and objects become JSON.
	Meta map[string]string `yaml:"meta,omitempty" json:"meta,omitempty"`
}

func (f Fields) isZero() bool {
	return f.ID == "" && f.Prompt == "" && f.Answer == "" && f.Solution == "" && f.Concepts == "" && f.Difficulty == "" && len(f.Meta) == 0
}

// String names the source in messages.
func (s Source) String() string {
	if s.File != "" {
		return "file " + s.File
	}
	return fmt.Sprintf("procedural %s (seed %d)", s.Procedural, s.Seed)
}

// Validate names every field that is wrong. It reads no file.
func (s Source) Validate() error {
	var errs []error
	bad := func(field, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", field, fmt.Sprintf(format, args...)))
	}
	if (s.Procedural == "") == (s.File == "") {
		bad("procedural, file", "exactly one of the two must be given")
		return errors.Join(errs...)
	}
	if s.Count < 0 || s.Count > maxCount {
		bad("count", "must lie in [0, %d], is %d", maxCount, s.Count)
	}
	for _, f := range s.foreign() {
		bad(f, "does not apply to %s", s)
	}
	switch {
	case s.File != "":
		s.validateFile(bad)
	case s.Procedural == "chain":
		s.validateDomain(bad, strings.Split(Operations, ""), 1, maxSteps)
	case s.Procedural == "stories":
		s.validateDomain(bad, storyConcepts(), 0, storyWords)
	case s.Generated():
		if s.Concepts != nil {
			bad("concepts", "does not apply to %s", s)
		}
		s.validateDomain(bad, nil, procedural.Easiest, procedural.Hardest)
	default:
		bad("procedural", "unknown domain %q; known: %s; mixtures: %s", s.Procedural, strings.Join(Domains(), ", "), strings.Join(Mixtures(), ", "))
	}
	return errors.Join(errs...)
}

// foreign lists the fields that are set although the kind of source does not use them.
func (s Source) foreign() []string {
	var out []string
	add := func(set bool, field string) {
		if set {
			out = append(out, field)
		}
	}
	file := s.File != ""
	add(file && s.Seed != 0, "seed")
	add(file && s.Count != 0, "count")
	add(file && s.Concepts != nil, "concepts")
	add(file && s.Difficulty != nil, "difficulty")
	chain := s.Procedural == "chain"
	add(!chain && s.Noise != 0, "noise")
	add(!chain && s.Direct != 0, "direct")
	add(!chain && s.Mislabel != 0, "mislabel")
	add(!chain && s.Tag, "tag")
	add(!file && s.Split != "", "split")
	add(!file && s.Columns != nil, "columns")
	add(!file && s.Format != "", "format")
	add(!file && !s.Fields.isZero(), "fields")
	add(!file && s.Template != "", "template")
	add(!file && s.AnswerForm != "", "answer_form")
	add(!file && s.ShuffleSeed != nil, "shuffle_seed")
	add(!file && !s.Clean.zero(), "clean")
	add(!file && s.Offset != 0, "offset")
	add(!file && s.Limit != 0, "limit")
	return out
}

// answerForms are what rewards find answers by (package reward), as far as rows of files have what they need.
var answerForms = []string{"boxed", "exact", "gsm8k", "hash", "math"}

func (s Source) validateFile(bad func(field, format string, args ...any)) {
	if !slices.Contains([]string{"", "jsonl", "gsm8k", "messages"}, s.Format) {
		bad("format", "unknown %q; known: gsm8k, jsonl, messages", s.Format)
	}
	if s.AnswerForm != "" && !slices.Contains(answerForms, s.AnswerForm) {
		bad("answer_form", "unknown %q; known: %s", s.AnswerForm, strings.Join(answerForms, ", "))
	}
	if s.Template != "" && s.Fields.Prompt != "" {
		bad("fields.prompt", "cannot stand beside template, which makes the prompt")
	}
	if (s.Format == "gsm8k" || s.Format == "messages") && !s.Fields.isZero() {
		bad("fields", "does not apply to format %s", s.Format)
	}
	if s.Format == "messages" && s.Template != "" {
		bad("template", "does not apply to format messages, which the model's chat template writes")
	}
	if s.Format == "messages" && s.AnswerForm != "" {
		bad("answer_form", "does not apply to format messages")
	}
	if s.Format == "gsm8k" && s.AnswerForm != "" && s.AnswerForm != "gsm8k" {
		bad("answer_form", "is gsm8k for format gsm8k, not %q", s.AnswerForm)
	}
	s.Clean.validate(bad)
	if s.Offset < 0 {
		bad("offset", "must not be negative, is %d", s.Offset)
	}
	if s.Limit < 0 {
		bad("limit", "must not be negative, is %d", s.Limit)
	}
	if s.Vary && s.Limit == 0 {
		bad("limit", "is required with vary: how many rows each occurrence of the schedule takes")
	}
	if s.Template != "" {
		if _, err := template.New("template").Parse(s.Template); err != nil {
			bad("template", "%v", err)
		}
	}
}

func (s Source) validateDomain(bad func(field, format string, args ...any), concepts []string, lowest, highest int) {
	for i, c := range s.concepts() {
		if concepts != nil && !slices.Contains(concepts, c) {
			bad(fmt.Sprintf("concepts[%d]", i), "unknown %q; known: %s", c, strings.Join(concepts, ", "))
		}
	}
	if d := s.Difficulty; d != nil {
		switch {
		case len(d) != 2:
			bad("difficulty", "must be [lo, hi], has %d numbers", len(d))
		case d[0] > d[1]:
			bad("difficulty", "lo %d is above hi %d", d[0], d[1])
		case d[0] < lowest || d[1] > highest:
			bad("difficulty", "must lie in [%d, %d], is %v", lowest, highest, d)
		}
	}
	for _, p := range []struct {
		field string
		value float64
	}{{"noise", s.Noise}, {"direct", s.Direct}, {"mislabel", s.Mislabel}} {
		if !(p.value >= 0 && p.value <= 1) {
			bad(p.field, "must be a probability in [0, 1], is %v", p.value)
		}
	}
}

// concepts are the chosen ones; operations of chain may stand together ("abmn"), and one that stands several times ("aaab") is drawn that
// many times as often.
func (s Source) concepts() []string {
	if s.Procedural != "chain" {
		return s.Concepts
	}
	var out []string
	for _, c := range s.Concepts {
		for _, r := range c {
			out = append(out, string(r))
		}
	}
	return out
}

func (s Source) count() int {
	if s.Count == 0 {
		return DefaultCount
	}
	return s.Count
}

// Load gives the problems of the source without regard to the other sets that Exclude and Clean name (see LoadSets). An empty list is an error.
func (s Source) Load(ctx context.Context) ([]Problem, error) {
	s.Clean.Against, s.Clean.Words = nil, 0
	return s.load(ctx, nil, s.cleaner(nil))
}

// cleaner is nil where nothing is to be left out.
func (s Source) cleaner(against map[string][]Problem) *cleaner {
	if s.Clean.zero() {
		return nil
	}
	return newCleaner(s.Clean, against)
}

// load leaves out banned prompts, and what the cleaner does not keep; a procedural source makes up for them with further problems.
func (s Source) load(ctx context.Context, banned map[string]bool, c *cleaner) ([]Problem, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("tasks: %s: %w", s, err)
	}
	var ps []Problem
	var err error
	if s.File != "" {
		ps, err = s.loadFile(ctx, banned, c)
	} else {
		ps, err = s.generate(ctx, banned)
	}
	if err != nil {
		return nil, fmt.Errorf("tasks: %s: %w", s, err)
	}
	if len(ps) == 0 {
		return nil, fmt.Errorf("tasks: %s: has no problems", s)
	}
	return ps, nil
}

// generate takes problems 0, 1, 2, … of the domain and skips those already seen (by ID) or banned (by prompt).
func (s Source) generate(ctx context.Context, banned map[string]bool) ([]Problem, error) {
	want := s.count()
	seen := map[string]bool{}
	var out []Problem
	// Of m equally likely problems, the last one is missed by 10m draws in a row with a chance of e^-10.
	for i, missed := 0, 0; len(out) < want; i++ {
		if missed > 10*len(seen)+10_000 {
			return nil, fmt.Errorf("found %d different problems, count asks for %d: widen concepts or difficulty", len(out), want)
		}
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		p, err := s.At(i)
		if err != nil {
			return nil, err
		}
		if seen[p.ID] {
			missed++
			continue
		}
		seen[p.ID] = true
		if banned[p.Prompt] {
			continue
		}
		missed = 0
		out = append(out, p)
	}
	return out, nil
}

// At is problem i >= 0 of a procedural source, for endless streams: it depends on the settings and i alone and repeats prompts
// as chance has it.
func (s Source) At(i int) (Problem, error) {
	if i < 0 {
		return Problem{}, fmt.Errorf("tasks: %s: problem %d: the index must not be negative", s, i)
	}
	switch s.Procedural {
	case "chain":
		return s.chainAt(i)
	case "stories":
		return s.storyAt(i)
	}
	if mix := mixture(s.Procedural); mix != nil {
		return s.mixedAt(mix, i)
	}
	return Problem{}, fmt.Errorf("tasks: %s: is not procedural, so it has no endless stream", s)
}

// Stream gives problem i of an endless sequence: At for a procedural source, the loaded list over and over for a file.
func (s Source) Stream(ctx context.Context) (func(i int) (Problem, error), error) {
	if s.File == "" {
		if err := s.Validate(); err != nil {
			return nil, fmt.Errorf("tasks: %s: %w", s, err)
		}
		return s.At, nil
	}
	ps, err := s.Load(ctx)
	if err != nil {
		return nil, err
	}
	return func(i int) (Problem, error) {
		if i < 0 {
			return Problem{}, fmt.Errorf("tasks: %s: problem %d: the index must not be negative", s, i)
		}
		return ps[i%len(ps)], nil
	}, nil
}
