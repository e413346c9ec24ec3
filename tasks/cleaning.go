package tasks

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"temper/tasks/clean"
)

// Cleaning leaves rows of a file out that should not be trained on.
type Cleaning struct {
	// Duplicates is exact (the same words as a row before) or near (nearly the same, by Similarity).
	Duplicates string `yaml:"duplicates,omitempty" json:"duplicates,omitempty"`
	// Similarity (near) is the share of three-word runs in common from which two rows are nearly the same; default 0.8.
	Similarity float64 `yaml:"similarity,omitempty" json:"similarity,omitempty"`
	// Against names task sets, evaluations usually, of which no question may be in this one, not in part either: a run of Words words in common
	// is contamination; default 13.
	Against []string `yaml:"against,omitempty" json:"against,omitempty"`
	Words   int      `yaml:"words,omitempty" json:"words,omitempty"`
	// Longest is how many characters a prompt may have; 0: any number.
	Longest int `yaml:"longest,omitempty" json:"longest,omitempty"`
}

const defaultSimilarity = 0.8

func (c Cleaning) zero() bool {
	return c.Duplicates == "" && c.Similarity == 0 && len(c.Against) == 0 && c.Words == 0 && c.Longest == 0
}

func (c Cleaning) validate(bad func(field, format string, args ...any)) {
	if !slices.Contains([]string{"", "exact", "near"}, c.Duplicates) {
		bad("clean.duplicates", "unknown %q; known: exact, near", c.Duplicates)
	}
	if c.Similarity != 0 && c.Duplicates != "near" {
		bad("clean.similarity", "does not apply without duplicates: near")
	} else if !(c.Similarity >= 0 && c.Similarity <= 1) {
		bad("clean.similarity", "must lie in (0, 1], is %v", c.Similarity)
	}
	if c.Longest < 0 {
		bad("clean.longest", "must be at least 1, is %d", c.Longest)
	}
	if c.Words < 0 {
		bad("clean.words", "must be at least 1, is %d", c.Words)
	}
	if c.Words > 0 && len(c.Against) == 0 {
		bad("clean.words", "does not apply without against")
	}
}

// Cleaned is what a cleaning left out.
type Cleaned struct {
	Rows         int       `json:"rows"` // that were looked at
	Duplicates   int       `json:"duplicates"`
	Contaminated int       `json:"contaminated"`
	Long         int       `json:"long"`
	Removed      []Removed `json:"removed"`
}

// Removed is one row that was left out.
type Removed struct {
	ID         string  `json:"id"`
	Why        string  `json:"why"`          // duplicate, near-duplicate, contaminated or long
	Of         string  `json:"of,omitempty"` // the row, or the set and the question
	Similarity float64 `json:"similarity,omitempty"`
	Common     string  `json:"common,omitempty"` // the words in common with the question
}

// String is the report in a line.
func (c *Cleaned) String() string {
	return fmt.Sprintf("of %d rows %d left out: %d duplicates, %d contaminated, %d too long", c.Rows, len(c.Removed), c.Duplicates, c.Contaminated, c.Long)
}

// cleaner goes through the rows of a file.
type cleaner struct {
	longest     int               // characters; 0: any number
	seen        map[string]string // words → id
	near        *clean.Near
	ids         []string // of the texts that near has kept
	evaluations *clean.Evaluation
	report      Cleaned
}

func newCleaner(c Cleaning, against map[string][]Problem) *cleaner {
	out := &cleaner{longest: c.Longest, report: Cleaned{Removed: []Removed{}}}
	switch c.Duplicates {
	case "exact":
		out.seen = map[string]string{}
	case "near":
		similarity := c.Similarity
		if similarity == 0 {
			similarity = defaultSimilarity
		}
		out.near = clean.NewNear(similarity)
	}
	if len(c.Against) > 0 {
		words := c.Words
		if words == 0 {
			words = clean.DefaultWords
		}
		out.evaluations = clean.NewEvaluation(words)
		for _, name := range c.Against {
			for _, p := range against[name] {
				out.evaluations.Add(name+"/"+p.ID, p.Prompt)
			}
		}
	}
	return out
}

// keeps says whether a problem stays, and keeps account of why not.
func (c *cleaner) keeps(p Problem) bool {
	if c == nil {
		return true
	}
	c.report.Rows++
	if c.longest > 0 && utf8.RuneCountInString(p.Prompt) > c.longest {
		c.report.Long++
		c.report.Removed = append(c.report.Removed, Removed{ID: p.ID, Why: "long"})
		return false
	}
	if c.evaluations != nil {
		if of, common, found := c.evaluations.Find(p.Prompt); found {
			c.report.Contaminated++
			c.report.Removed = append(c.report.Removed, Removed{ID: p.ID, Why: "contaminated", Of: of, Common: common})
			return false
		}
	}
	if c.seen != nil {
		words := strings.Join(clean.Words(p.Prompt), " ")
		if of, found := c.seen[words]; found {
			c.duplicate(Removed{ID: p.ID, Why: "duplicate", Of: of})
			return false
		}
		c.seen[words] = p.ID
	}
	if c.near != nil {
		if of, share, found := c.near.Add(p.Prompt); found {
			c.duplicate(Removed{ID: p.ID, Why: "near-duplicate", Of: c.ids[of], Similarity: share})
			return false
		}
		c.ids = append(c.ids, p.ID)
	}
	return true
}

func (c *cleaner) duplicate(r Removed) {
	c.report.Duplicates++
	c.report.Removed = append(c.report.Removed, r)
}
