package mathanswer

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// dataFolder has answers with human or constructed labels; TEMPER_ANSWERS names another.
func dataFolder() string {
	if d := os.Getenv("TEMPER_ANSWERS"); d != "" {
		return d
	}
	return "../../../shared/data/answer_equivalence"
}

// each calls f with every line of a file of JSON lines, or skips the test where there is none.
func each[T any](t *testing.T, name string, f func(T)) {
	t.Helper()
	file, err := os.Open(filepath.Join(dataFolder(), name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("needs %s (TEMPER_ANSWERS names its folder)", name)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	scanner := bufio.NewScanner(file)
	if strings.HasSuffix(name, ".gz") {
		z, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		scanner = bufio.NewScanner(z)
	}
	scanner.Buffer(nil, 1<<22)
	for scanner.Scan() {
		var row T
		if err := json.Unmarshal(scanner.Bytes(), &row); err != nil {
			t.Fatal(err)
		}
		f(row)
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
}

// human is a case of math-verify's own tests.
type human struct {
	ID         string   `json:"id"`
	Gold       string   `json:"gold"`
	Pred       string   `json:"pred"`
	Equal      bool     `json:"equal"`
	MatchTypes []string `json:"match_types"`
	Options    struct {
		Precision int   `json:"precision"`
		Relations *bool `json:"allow_set_relation_comp"`
	} `json:"options"`
}

func TestAgreesWithHumanCases(t *testing.T) {
	var all, agreed, bare int
	each(t, "math_verify_testsuite.jsonl", func(r human) {
		if (Equal(r.Gold, r.Pred).Verdict == Correct) == r.Equal {
			bare++
		} else {
			t.Logf("without its options %s: %q and %q, expected equal=%v, options %+v %v", r.ID, clip(r.Gold), clip(r.Pred), r.Equal, r.Options, r.MatchTypes)
		}
		o := Options{Decimals: r.Options.Precision, SetsOnly: r.Options.Relations != nil && !*r.Options.Relations, LaTeXOnly: slices.Equal(r.MatchTypes, []string{"latex"})}
		got := o.Equal(r.Gold, r.Pred)
		if all++; (got.Verdict == Correct) == r.Equal {
			agreed++
			return
		}
		t.Logf("%s: %q and %q: %v, expected equal=%v", r.ID, clip(r.Gold), clip(r.Pred), got, r.Equal)
	})
	t.Logf("%d of %d human cases (%.2f%%), %d without the options that their tests set", agreed, all, 100*float64(agreed)/float64(all), bare)
	if float64(agreed) < 0.99*float64(all) {
		t.Errorf("agrees on %d of %d human cases, less than 99%%", agreed, all)
	}
}

// variation is a gold answer of MATH beside a changed one.
type variation struct {
	Gold       string `json:"gold"`
	Pred       string `json:"pred"`
	Kind       string `json:"kind"`
	Label      *bool  `json:"by_construction"`
	MathVerify bool   `json:"math_verify"`
}

func TestAgreesWithVariations(t *testing.T) {
	type tally struct{ all, labelled, convention int }
	kinds := map[string]*tally{}
	var labelled, agreed, open, same int
	start := time.Now()
	each(t, "math_gold_variations.jsonl.gz", func(r variation) {
		got := Equal(r.Gold, r.Pred)
		k := kinds[r.Kind]
		if k == nil {
			k = &tally{}
			kinds[r.Kind] = k
		}
		k.all++
		right := got.Verdict == Correct
		if r.Label == nil {
			if open++; right == r.MathVerify {
				same++
			} else {
				k.convention++
				t.Logf("convention %s: %q and %q: %v, math-verify says %v", r.Kind, clip(r.Gold), clip(r.Pred), got, r.MathVerify)
			}
			return
		}
		if labelled++; right == *r.Label {
			agreed++
			return
		}
		k.labelled++
		t.Logf("label %s: %q and %q: %v, by construction %v", r.Kind, clip(r.Gold), clip(r.Pred), got, *r.Label)
	})
	t.Logf("%.0f pairs/s", float64(labelled+open)/time.Since(start).Seconds())
	t.Logf("%d of %d labelled variations (%.2f%%); %d of %d matters of convention as math-verify (%.2f%%)", agreed, labelled, 100*float64(agreed)/float64(labelled),
		same, open, 100*float64(same)/float64(open))
	for kind, k := range kinds {
		if k.labelled+k.convention > 0 {
			t.Logf("%-20s %4d pairs, %d unlike the label, %d unlike math-verify", kind, k.all, k.labelled, k.convention)
		}
	}
	if float64(agreed) < 0.98*float64(labelled) {
		t.Errorf("agrees on %d of %d labelled variations, less than 98%%", agreed, labelled)
	}
}

// modelAnswer is what a model answered to a problem of GSM8K, with OpenAI's judgement.
type modelAnswer struct {
	Gold     string `json:"gold"`
	Pred     string `json:"pred"`
	Solution string `json:"solution"`
	Equal    bool   `json:"equal"`
}

func TestAgreesWithGSM8KJudgements(t *testing.T) {
	var all, agreed, found int
	each(t, "gsm8k_model_answers.jsonl.gz", func(r modelAnswer) {
		all++
		if (Equal(r.Gold, r.Pred).Verdict == Correct) == r.Equal {
			agreed++
		} else {
			t.Logf("%q and %q: expected equal=%v", r.Gold, r.Pred, r.Equal)
		}
		if (Equal(r.Gold, strings.Replace(r.Solution, "\nA: ", "\n#### ", 1)).Verdict == Correct) == r.Equal { // as the training set marks its answers
			found++
		}
	})
	t.Logf("%d of %d judgements, %d on whole solutions", agreed, all, found)
	if float64(min(agreed, found)) < 0.99*float64(all) {
		t.Errorf("agrees on %d and on %d of %d judgements", agreed, found, all)
	}
}
