package code

import (
	"context"
	"flag"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestReferencesPass(t *testing.T) {
	needsSandbox(t)
	for _, set := range []string{"HumanEval", "MBPP"} {
		t.Run(set, func(t *testing.T) {
			names, programs := references(t, set)
			for i, j := range verifyAll(t, programs, Limits{}) {
				assert.Equal(t, Judgement{Verdict: Correct}, j, names[i])
			}
		})
	}
}

// offByOne makes a function's result another value of the same type.
const offByOne = `

def off_by_one(f):
    def g(*args, **kwargs):
        r = f(*args, **kwargs)
        if isinstance(r, bool): return not r
        if isinstance(r, (int, float, complex)): return r + 1
        if isinstance(r, str): return r + "x"
        if isinstance(r, list): return r + [None]
        if isinstance(r, tuple): return r + (None,)
        if isinstance(r, (set, frozenset)): return r | {None}
        if isinstance(r, dict): return {**r, None: None}
        if r is None: return 0
        return None
    return g
%[1]s = off_by_one(%[1]s)
`

var called = regexp.MustCompile(`(\w+)\s*\(`)

// mutants are changed solutions of all problems, by kind of change.
func mutants(t *testing.T) map[string]map[string]Program {
	none := "\ndef %s(*args, **kwargs): return None\n"
	m := map[string]map[string]Program{"none": {}, "off by one": {}, "swapped operator": {}}
	for _, h := range shared[humanEval](t, "HumanEval.jsonl.gz") {
		m["none"][h.TaskID] = h.program("    return None\n")
		m["off by one"][h.TaskID] = h.program(h.Solution + fmt.Sprintf(offByOne, h.EntryPoint))
		if s, ok := swapped(h.Solution); ok {
			m["swapped operator"][h.TaskID] = h.program(s)
		}
	}
	for _, p := range shared[mbpp](t, "mbpp_even_task_id.jsonl") {
		name := fmt.Sprint("MBPP/", p.TaskID)
		function := ""
		for _, f := range called.FindAllStringSubmatch(p.Tests[0], -1) { // set(f(x)) has two
			if strings.Contains(p.Code, "def "+f[1]+"(") || strings.Contains(p.Code, "def "+f[1]+" (") {
				function = f[1]
				break
			}
		}
		if !assert.NotEmpty(t, function, "%s: what do %q call?", name, p.Tests[0]) {
			continue
		}
		m["none"][name] = p.program(p.Code + fmt.Sprintf(none, function))
		m["off by one"][name] = p.program(p.Code + fmt.Sprintf(offByOne, function))
		if s, ok := swapped(p.Code); ok {
			m["swapped operator"][name] = p.program(s)
		}
	}
	return m
}

// swapped has the first operator of a list changed.
func swapped(code string) (string, bool) {
	for _, pair := range [][2]string{{" == ", " != "}, {" < ", " >= "}, {" > ", " <= "}, {" + ", " - "}, {" - ", " + "}, {" * ", " + "}, {" and ", " or "}} {
		if strings.Contains(code, pair[0]) {
			return strings.Replace(code, pair[0], pair[1], 1), true
		}
	}
	return "", false
}

// all mutants take minutes; docs/sandbox.md has the command.
var every = flag.Int("every", 4, "judge one in `N` mutants")

func TestMutatedReferencesFail(t *testing.T) {
	needsSandbox(t)
	for kind, programs := range mutants(t) {
		names := sorted(programs)
		var list []Program
		var chosen []string
		for i := 0; i < len(names); i += *every {
			chosen = append(chosen, names[i])
			list = append(list, programs[names[i]])
		}
		var passed []string
		for i, j := range verifyAll(t, list, Limits{Timeout: 3 * time.Second}) {
			assert.NotEqual(t, Error, j.Verdict, "%s: %s: %s", kind, chosen[i], j.Detail)
			if j.Verdict == Correct {
				passed = append(passed, chosen[i])
			}
		}
		t.Logf("%s: %d of %d mutants pass: %v", kind, len(passed), len(list), passed)
		if kind == "swapped operator" {
			// Some changes change nothing, or nothing that the tests see.
			assert.Less(t, float64(len(passed)), 0.05*float64(len(list)))
		} else {
			assert.Empty(t, passed, kind)
		}
	}
}

func TestPython(t *testing.T) {
	needsSandbox(t)
	add := "def add(a, b):\n    return a + b\n"
	point := `
class Point:
    def __init__(self, x, y): self.x, self.y = x, y
    def __eq__(self, other): return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)
    def __add__(self, other): return Point(self.x + other.x, self.y + other.y)
    def __mul__(self, n): return Point(self.x * n, self.y * n)
    def __len__(self): return 2
    def __getitem__(self, i): return (self.x, self.y)[i]
    def __repr__(self): return f"Point({self.x}, {self.y})"
    def __enter__(self): return self.x
    def __exit__(self, *e): return True
`
	for _, c := range []struct {
		name, completion, tests string
		want                    Verdict
		detail                  string
	}{
		{"right", add, "assert add(1, 2) == 3", Correct, ""},
		{"wrong", add, "x = 1\nassert add(1, 2) == 4, 'no'", Wrong, "line 2: assert add(1, 2) == 4, 'no': AssertionError: no"},
		{"in a fence", "Let me think. ```x```\n```python\ndef add(a, b): return 0\n```\nBetter:\n```python\n" + add + "```\nDone.", "assert add(1, 2) == 3", Correct, ""},
		{"does not parse", "def add(a, b) return", "assert add(1, 2) == 3", Wrong, "the answer does not load: line 1: def add(a, b) return: SyntaxError"},
		{"not defined", "x = 1", "assert add(1, 2) == 3", Wrong, "NameError: name 'add' is not defined"},
		{"raises", "def add(a, b): return [][1]", "assert add(1, 2) == 3", Wrong, "IndexError"},
		{"loops", "def add(a, b):\n    while True: pass", "assert add(1, 2) == 3", Wrong, "timeout"},
		{"holds too much", "def add(a, b):\n    x = []\n    while True: x.append(bytearray(1 << 22))", "assert add(1, 2) == 3", Wrong, "emory"},
		{"crashes", "def add(a, b):\n    import ctypes; ctypes.string_at(0)", "assert add(1, 2) == 3", Wrong, "ended its process"},
		{"tests do not parse", add, "assert add(1, 2", Error, "the tests do not compile: line 1"},
		{"no tests", add, "", Error, "tests"},
		{"check without an entry point", add, "def check(candidate):\n    assert candidate(1, 2) == 3", Error, "entry_point"},
		{"tests that derive", point, "class P(Point): pass\nassert P(1, 2).x == 1", Error, "derive a class"},
		{"the main block does not run", add + "if __name__ == '__main__':\n    input()", "assert add(1, 2) == 3", Correct, ""},
		{"functions of pytest", add, "def test_a():\n    assert add(1, 2) == 4", Wrong, "add(1, 2) == 4"},
		{"test cases", add, "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(add(1, 2), 4)", Wrong, "3 != 4"},
		{"test cases with main", add, "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(add(1, 2), 3)\nif __name__ == '__main__': unittest.main()", Correct, ""},
		{"test cases with main, wrong", add, "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(add(1, 2), 4)\nif __name__ == '__main__': unittest.main()", Wrong, "SystemExit"},
		{"classes", point, "p = Point(1, 2)\nassert p.x == 1 and p + p == Point(2, 4) and p != Point(0, 0) and (p * 3).y == 6\nassert len(p) == 2 and p[1] == 2 and list(p) == [1, 2] and repr(p) == 'Point(1, 2)'\n" +
			"p.x = 5\nassert f'{p}' == 'Point(5, 2)' and isinstance(p, Point) and not isinstance(3, Point)\nwith p as x: assert x == 5\nassert sum(q.x for q in [p, Point(1, 1)]) == 6", Correct, ""},
		{"objects within values", point + "def f(): return {'a': [Point(1, 2)]}\ndef g(d): return d['a'][0].x", "assert f()['a'][0].y == 2 and g(f()) == 1", Correct, ""},
		{"exceptions", "class Bad(ValueError): pass\ndef f(x):\n    if x: raise Bad('x', 1)\n    raise KeyError('k')",
			"for x, kind in ((1, Bad), (1, ValueError), (0, KeyError)):\n    try: f(x)\n    except kind as e: assert e.args[0] in 'xk'\n    else: assert False", Correct, ""},
		{"callbacks", "def f(g, l): return sorted(map(g, l))", "seen = []\nassert f(lambda x: seen.append(x) or -x, [1, 2]) == [-2, -1] and seen == [1, 2]", Correct, ""},
		{"arguments changed in place", "def f(l, d): l.sort(); d['n'] = len(l); d['l'].append(1)",
			"l, d = [3, 1, 2], {'l': []}\ninner = d['l']\nf(l, d)\nassert l == [1, 2, 3] and d == {'l': [1], 'n': 3} and inner == [1] and d['l'] is not None", Correct, ""},
		{"generators", "def f():\n    n = 0\n    while True:\n        yield n\n        n += 1", "from itertools import islice\ng = f()\nassert next(g) == 0 and list(islice(g, 3)) == [1, 2, 3]", Correct, ""},
		{"printing", "def f(): print('hi')", "import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b): f()\nassert b.getvalue() == 'hi\\n'", Correct, ""},
		{"values of many types", `
import collections, datetime, decimal, fractions, enum, math
P = collections.namedtuple("P", "a b")
class MyList(list): pass
def f():
    return [1 << 80, -1.5, float("inf"), 1j, "é\ud800", b"x", bytearray(b"y"), (1, [2]), {1}, frozenset({2}), {(1, 2): None}, range(3), P(1, 2), MyList([1]),
      fractions.Fraction(1, 3), decimal.Decimal("1.10"), datetime.date(2020, 1, 2), datetime.timedelta(1), collections.Counter("aab"), collections.deque([1], 3),
      collections.OrderedDict(a=1), int, ValueError]`, `
import collections, datetime, decimal, fractions
r = f()
assert r == [1 << 80, -1.5, float("inf"), 1j, "é\ud800", b"x", bytearray(b"y"), (1, [2]), {1}, frozenset({2}), {(1, 2): None}, range(3), (1, 2), [1],
      fractions.Fraction(1, 3), decimal.Decimal("1.10"), datetime.date(2020, 1, 2), datetime.timedelta(1), collections.Counter("aab"), collections.deque([1], 3),
      collections.OrderedDict(a=1), int, ValueError], r
assert r[12].b == 2 and r[18]["z"] == 0`, Correct, ""},
		{"a large result", "def f(n): return list(range(n))", "assert sum(f(300000)) == 44999850000", Correct, ""},
		{"deep recursion", "def f(n): return 0 if n == 0 else 1 + f(n - 1)", "assert f(960) == 960", Correct, ""},
		{"a name of Python's", "def sum(a, b): return a * b", "assert sum(2, 3) == 6", Correct, ""},
		{"a module of the answer's", "import math\ndef f(): return 1.0", "assert math.isclose(f(), 1.0)", Correct, ""},
		{"dataclasses", "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int = 0", "assert A(3) == A(3) and A(x=1).x == 1", Correct, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := Verify(context.Background(), Program{Language: "python", Completion: c.completion, Tests: c.tests}, Limits{Timeout: 3 * time.Second})
			assert.Equal(t, c.want, j.Verdict, j.Detail)
			assert.Contains(t, j.Detail, c.detail)
		})
	}
}

func TestPromptsAreContinued(t *testing.T) {
	needsSandbox(t)
	prompt := "import math\n\ndef area(r):\n    \"\"\"Area of a circle.\"\"\"\n"
	for name, completion := range map[string]string{
		"a body":                     "    return math.pi * r * r\n",
		"a body after an empty line": "\n    return math.pi * r * r\n",
		"a body in a fence":          "```python\n    return math.pi * r * r\n```",
		"the whole function":         "def area(r):\n    return math.pi * r * r\n",
		"the whole file in a fence":  "Here:\n\n```py\nimport math\ndef area(r):\n    return math.pi * r * r\n```\n",
		"cut in the fence":           "```python\ndef area(r):\n    return math.pi * r * r\n",
	} {
		j := Verify(context.Background(), Program{Language: "python", Prompt: prompt, Completion: completion, Tests: "assert round(area(1), 3) == 3.142"}, Limits{})
		assert.Equal(t, Judgement{Verdict: Correct}, j, name)
	}
}

func TestBadPrograms(t *testing.T) {
	needsSandbox(t)
	for want, p := range map[string]Program{
		`language: "perl" is not known`: {Language: "perl", Completion: "1", Tests: "1"},
		"the completion is empty":       {Language: "python", Tests: "pass"},
	} {
		assert.Contains(t, Verify(context.Background(), p, Limits{}).Detail, want)
	}
}
