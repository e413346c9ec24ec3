package configs

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode"

	"github.com/go-playground/validator/v10"
)

// Finding is one value that breaks a rule: its dotted path by yaml tags below the checked struct, and what is wrong.
type Finding struct{ Path, Msg string }

// inlineMark names embedded structs while the validator runs, to be taken out of its paths.
const inlineMark = "~"

var newValidator = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if strings.Contains(options, "inline") {
			return inlineMark
		}
		if name == "-" {
			name, _, _ = strings.Cut(f.Tag.Get("json"), ",")
		}
		return name
	})
	return v
})

// Check runs the `validate` tags of a struct (go-playground/validator) and says in plain words what breaks them.
func Check(settings any) ([]Finding, error) {
	err := newValidator().Struct(settings)
	var broken validator.ValidationErrors
	if err != nil && !errors.As(err, &broken) {
		return nil, fmt.Errorf("check %T: %w", settings, err)
	}
	var out []Finding
	for _, b := range broken {
		path := strings.ReplaceAll(b.Namespace(), inlineMark+".", "")
		if _, rest, ok := strings.Cut(path, "."); ok { // the first segment is the type's name
			path = rest
		}
		out = append(out, Finding{Path: path, Msg: ruleText(b)})
	}
	return out, nil
}

// ruleText says which rule a value breaks. Secrets do not show: they print redacted.
func ruleText(b validator.FieldError) string {
	is := fmt.Sprintf(", is %v", b.Value())
	must := "must be "
	if k := b.Kind(); k == reflect.String {
		is = fmt.Sprintf(", is %q", fmt.Sprint(b.Value()))
		must = "must have a length of "
	} else if k == reflect.Slice || k == reflect.Map {
		is = ""
		must = "must have a length of "
	}
	switch b.Tag() {
	case "required":
		return "is required"
	case "required_with":
		return "is required together with " + snake(b.Param())
	case "gte", "min":
		return must + "at least " + b.Param() + is
	case "gt":
		return must + "above " + b.Param() + is
	case "lte", "max":
		return must + "at most " + b.Param() + is
	case "lt":
		return must + "below " + b.Param() + is
	case "unique":
		return "names something twice"
	case "oneof":
		known := strings.Fields(b.Param())
		msg := "must be one of " + strings.Join(known, ", ") + is
		if best, near := Nearest(fmt.Sprint(b.Value()), known); near {
			msg += "; did you mean " + best + "?"
		}
		return msg
	case "hostname_port":
		return "must be host:port" + is
	}
	return "breaks the rule " + b.Tag() + " " + b.Param() + is
}

// snake turns a field's Go name into its setting's name: SecretKey is secret_key.
func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if i > 0 && unicode.IsUpper(r) && !unicode.IsUpper(rune(name[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
