package jinja

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// clock is the time that testdata/reference.py gives to its templates.
var clock = time.Date(2024, 7, 5, 9, 3, 7, 0, time.UTC)

type reference struct {
	Variables json.RawMessage
	Cases     []struct {
		Template   string
		Text       *string // nil: refused
		Generation [][2]int
	}
}

func readReference(t testing.TB) (reference, map[string]any) {
	t.Helper()
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref reference
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	v, err := FromJSON(ref.Variables)
	if err != nil {
		t.Fatal(err)
	}
	vars := map[string]any{}
	for _, k := range v.(*Dict).Keys() {
		vars[k.(string)], _ = v.(*Dict).Get(k)
	}
	if len(ref.Cases) == 0 {
		t.Fatal("no cases")
	}
	return ref, vars
}

func render(source string, vars map[string]any) (Output, error) {
	t, err := Parse(source)
	if err != nil {
		return Output{}, err
	}
	return t.Render(vars, clock)
}

func TestReference(t *testing.T) {
	ref, vars := readReference(t)
	for _, c := range ref.Cases {
		out, err := render(c.Template, vars)
		switch {
		case c.Text == nil && err == nil:
			t.Errorf("%s\n gives %q, should be refused", c.Template, out.Text)
		case c.Text != nil && err != nil:
			t.Errorf("%s\n is refused: %v\n   should give %q", c.Template, err, *c.Text)
		case c.Text != nil && out.Text != *c.Text:
			t.Errorf("%s\n gives       %q\n should give %q", c.Template, out.Text, *c.Text)
		case c.Text != nil && !slices.Equal(out.Generation, c.Generation):
			t.Errorf("%s\n generation %v, want %v", c.Template, out.Generation, c.Generation)
		}
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"a\n{{ raise_exception('roles must\\nalternate') }}", "line 2: the template refuses: roles must\nalternate"},
		{"{{ message.content }}", "line 1: message is undefined"},
		{"\n\n{% include 'x' %}", "line 3: {% include %} is not supported (supported: break, call,"},
		{"{% if a %}\n{% for b in c %}", "line 2: found no {% else %} or {% endfor %} for the block"},
		{"{{ x | nosuch }}", `line 1: the filter "nosuch" is not supported`},
		{"{{ x is nosuch }}", `line 1: the test "nosuch" is not supported`},
		{"{{ (1 }}", `line 1: unexpected "}"`},
		{"{{ 1", "line 1: a tag does not end with }}"},
		{"{# a", "line 1: a comment does not end"},
		{"{{ 'a", "line 1: a string does not end"},
		{"{% raw %}", "line 1: {% raw %} has no {% endraw %}"},
		{"{{ [].append(1) }}", "line 1: append would change a list"},
		{"{{ strftime_now('%Q') }}", "line 1: strftime_now: %Q is not supported"},
	} {
		if _, err := render(test.source, nil); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%q: %v, want %q", test.source, err, test.want)
		}
	}
}

// A template that does not end, or grows without bound, is stopped.
func TestLimits(t *testing.T) {
	for _, source := range []string{
		"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
		"{% for a in range(100000) %}{% for b in range(100000) %}{{ '' }}{% endfor %}{% endfor %}",
		"{{ 'a' * 1000000000000 }}",
		"{{ [0] * 1000000000000 }}",
		"{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}",
		"{% for i in range(100) %}{{ 'a' * 1000000 }}{% endfor %}",
		"{{ '%1000000000d' % 1 }}",
		"{{ " + strings.Repeat("(", 100000) + " }}",
		"{{ " + strings.Repeat("not ", 100000) + "1 }}",
		"{{ " + strings.Repeat("-", 100000) + "1 }}",
		strings.Repeat("{% if 1 %}", 10000) + strings.Repeat("{% endif %}", 10000),
		"{{ range(10, 100000000000) }}",
		"{{ 1 if " + strings.Repeat("1 if ", 3) + " }}",
	} {
		if _, err := render(source, nil); err == nil {
			t.Errorf("%.60q is not stopped", source)
		}
	}
}

func TestRenderLeavesVariablesAlone(t *testing.T) {
	_, vars := readReference(t)
	before := fmt.Sprint(len(vars), text(vars["messages"]))
	if _, err := render("{% set messages = [] %}{% set new = 1 %}{% set d = dict(d, a=5) %}", vars); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprint(len(vars), text(vars["messages"])); after != before {
		t.Errorf("the variables were changed to %s", after)
	}
}

func TestFromJSON(t *testing.T) {
	v, err := FromJSON([]byte(`{"b": [1, 2.0, "x", null, true], "a": {}, "b": 3}`))
	if err != nil || text(v) != "{'b': 3, 'a': {}}" {
		t.Errorf("%s, %v", text(v), err)
	}
	for _, bad := range []string{"", "{", "[1,", "1 2", `{"a": 123456789012345678901234567890}`} {
		if v, err := FromJSON([]byte(bad)); err == nil {
			t.Errorf("%q gives %s", bad, text(v))
		}
	}
}

// No template makes the interpreter panic.
func FuzzTemplate(f *testing.F) {
	ref, vars := readReference(f)
	for _, c := range ref.Cases {
		f.Add(c.Template)
	}
	f.Fuzz(func(t *testing.T, source string) {
		if tpl, err := Parse(source); err == nil {
			_, _ = tpl.Render(vars, clock)
		}
	})
}
