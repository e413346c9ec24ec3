package reward

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sort"
	"strings"
	"time"
)

// Options are those of one kind of part: a pointer to a struct such as FormatOptions. A field is an option by the name in its `option` tag, described by
// its `about` tag. The zero value of a field is the option's default and is left out of YAML and JSON.
type Options interface {
	// check reports each option that is wrong.
	check(bad report)
	// build makes the judge from options that check has passed.
	build() (judge, error)
}

// report takes what is wrong with an option.
type report func(option, format string, args ...any)

// kind is one kind of part.
type kind struct {
	name   string
	gives  string         // what the value is, for docs/rewards.md
	lo, hi float64        // what the value lies in
	source string         // paper or program whose formula it is
	gold   bool           // it asks what is right: the gold answer, the verdict
	blank  func() Options // options at their defaults
}

// judge is how a part judges; one of its functions is set.
type judge struct {
	// value judges one sample.
	value Part
	// verdict decides what is correct and wrong; its value is 1 or 0.
	verdict func(ctx context.Context, x Sample) (ruling, error)
	// given judges one sample by the verdict of the parts that decide it: Correct or Wrong.
	given func(x Sample, v Verdict) (float64, error)
	// outside judges all samples of a scoring before the others do, and its error is that of all samples.
	outside func(ctx context.Context, samples []Sample) ([]judged, error)
	// remote is what outside asks.
	remote *remote
	// needs is how much longer than DefaultDeadline a sample may take.
	needs time.Duration
}

// ruling is what a part that decides says of a sample.
type ruling struct {
	right  bool
	answer string // normalised for voting
	detail string // why it is not right, where that is known
}

// registry has every kind by its name.
var registry = func(all ...kind) map[string]kind {
	out := make(map[string]kind, len(all))
	for _, k := range all {
		out[k.name] = k
	}
	return out
}(
	correctKind, codeKind, // decide
	tagsKind, formatKind, lengthKind, repetitionKind, distinctKind, languageKind, requiredWordsKind, ifevalKind, costKind, // ask for no gold answer
	brierKind, explorationKind, rougeKind, bleuKind, chrfKind, nextSegmentKind, patchKind,
	serviceKind, judgeKind, rewardModelKind,
)

// Kinds lists the built-in kinds of parts, sorted.
func Kinds() []string {
	out := make([]string, 0, len(registry))
	for name := range registry {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// Decides says that parts of a kind decide whether a sample is correct.
func Decides(kind string) bool { return kind == "correct" || kind == "code" }

// knowsRight says that parts of a kind ask what is right.
func knowsRight(kind string) bool { return Decides(kind) || registry[kind].gold }

// options of the part, at their defaults where it has none.
func (p PartSpec) options(k kind) Options {
	if p.Options == nil {
		return k.blank()
	}
	return p.Options
}

// fields are a kind's options by name, as pointers, with the bound that every kind has.
func (p *PartSpec) fields(o Options) map[string]reflect.Value {
	out := map[string]reflect.Value{"bound": reflect.ValueOf(&p.Bound)}
	eachField(reflect.ValueOf(o).Elem(), func(name, _ string, v reflect.Value) { out[name] = v.Addr() })
	return out
}

// eachField visits the options of a kind, those of embedded structs too.
func eachField(v reflect.Value, visit func(name, about string, v reflect.Value)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		switch name := f.Tag.Get("option"); {
		case name != "":
			visit(name, f.Tag.Get("about"), v.Field(i))
		case f.Anonymous:
			eachField(v.Field(i), visit)
		}
	}
}

func names[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for name := range m {
		out = append(out, name)
	}
	sort.Strings(out)
	return out
}

// optionOfAny says that some kind has the option.
func optionOfAny(name string) bool {
	for _, k := range registry {
		if _, ok := new(PartSpec).fields(k.blank())[name]; ok {
			return true
		}
	}
	return false
}

func oneOf(bad report, option, value string, known []string) {
	if value != "" && !slices.Contains(known, value) {
		bad(option, "unknown %q; known: %s", value, strings.Join(known, ", "))
	}
}

func notNegative(bad report, option string, value float64) bool {
	if !finite(value) || value < 0 {
		bad(option, "must be finite and not negative, is %v", value)
		return false
	}
	return true
}

// atLeastOne refuses a count below 0; 0 stands for the default.
func atLeastOne(bad report, option string, value int) {
	if value < 0 {
		bad(option, "must be at least 1, is %d", value)
	}
}

func finite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }

// or is a value, or its default where it is not set.
func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}

// none are the options of a kind that has none.
type none struct{}

func (none) check(report) {}

// reporter collects what is wrong with a part.
func reporter(kind string, errs *[]error) report {
	return func(option, format string, args ...any) {
		*errs = append(*errs, fmt.Errorf("reward: %s: %s: %s", kind, option, fmt.Sprintf(format, args...)))
	}
}
