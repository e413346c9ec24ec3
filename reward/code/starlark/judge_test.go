package starlark

import (
	"context"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func judged(t *testing.T, answer, tests string) Outcome {
	t.Helper()
	return judgedIn(t, 30*time.Second, answer, tests)
}

func judgedIn(t *testing.T, wall time.Duration, answer, tests string) Outcome {
	t.Helper()
	o, err := Judge(t.Context(), Program{answer, tests}, Limits{Wall: wall, Memory: 64 << 20})
	require.NoError(t, err)
	return o
}

// pieces are programs that mean in Starlark what they mean in Python.
var pieces = map[string]string{
	"annotations": "from typing import List, Dict\ndef f(a: List[int], *, b: Dict[str, int] = {'x': 1}) -> int:\n    n: int = len(a)\n    m: int\n    return n + b['x']\nassert f([1, 2]) == 3",
	"assertions":  "assert 1 < 2, 'with a message'\nassert (1 ==\n    1)\nassert not 1 == 2; assert True",
	"chains":      "x = 5\nassert 1 < x < 10\nassert not 1 < x < 4\nassert 1 <= 2 <= 2 < 3 and True\nassert [a for a in range(9) if 2 <= a < 5] == [2, 3, 4]\ny = 1 if 0 < x < 3 else 2\nassert y == 2",
	"powers":      "a = [3]\nassert 2 ** 3 ** 2 == 512\nassert -2 ** 2 == -4\nassert a[0] ** 2 + 1 == 10\nassert 2 ** -1 == 0.5\nassert max(2, 1) ** 2 * 3 == 12\nassert (1 + 1) ** 2 == 4\nassert len('abc'.upper()) ** 2 == 9",
	"texts":       "assert [c for c in 'abc'] == ['a', 'b', 'c']\nassert sorted('cab') == ['a', 'b', 'c']\nassert ''.join(reversed('abc')) == 'cba'\nassert list(enumerate('ab')) == [(0, 'a'), (1, 'b')]\nassert 'a' 'b' == 'ab'\nassert max('abc') == 'c'\nassert u'x' == 'x'",
	"f-strings":   "x, y = 1, 'z'\nassert f'{x}-{y}{{}}{x + 1}' == '1-z{}2'\nassert f'{1e6} {0.1}' == '1000000.0 0.1'",
	"sets":        "assert {1, 2} == {2, 1}\nassert len({x % 2 for x in range(9)}) == 2\nassert {1: 2} == dict([(1, 2)])\nassert {} == dict()\nassert {1, 2} & {2, 3} == {2}",
	"generators":  "assert sum(x * x for x in range(4)) == 14\nassert all(x > 0 for x in [1, 2])\nassert any((x == 2) for x in [1, 2])",
	"truth":       "assert True == 1\nassert [True, 0] == [1, False]\nassert (1, 2) != [1, 2]\nassert sum(x > 1 for x in [1, 2, 3]) == 2\nassert {'a': True} == {'a': 1}",
	"comparisons": "def f(x): return x\nassert f(True) == 1 and not f(False) == 1 and f(1) == True\nassert 7 % 4 == 3 and (2 + 2) == 4 and 2 * 3 != 7 and 'a%d' % 5 == 'a5' and f(True) != 0\nassert f('a') == 'a' and f(1) != 'a' and len('ab') == 2\nassert [True] * 2 == [1, 1]",
	"nan":         "n = float('inf') - float('inf')\nassert not n > 3 and not n < 3 and not n == n and n != n and not n >= 0 and 1 <= 2 and 2 > True and float('inf') > 5 and 'a' < 'b' and [1] < [2]",
	"none":        "x = None\nassert x is None\nassert 1 is not None\nassert (x if x is not None else 2) == 2",
	"methods":     "a = [3, 1, 2]\na.sort()\nassert a == [1, 2, 3]\na.sort(key=lambda x: -x)\nassert a == [3, 2, 1]\na.reverse()\nassert a.copy() == [1, 2, 3]\nassert [1, True, 2].count(1) == 2\nassert '7'.zfill(3) == '007' and '-7'.zfill(3) == '-07'\nassert 'aB'.swapcase() == 'Ab'\na.extend('xy')\nassert a[3:] == ['x', 'y']",
	"numbers":     "import math\nfrom math import gcd as g, floor\nassert round(2.5) == 2 and round(3.5) == 4 and round(2.675, 2) == 2.67\nassert divmod(-7, 2) == (-4, 1)\nassert -7 % 3 == 2\nassert g(12, 18) == 6 and floor(-1.5) == -2 and math.factorial(5) == 120\nassert str(1e16) == '1e+16' and str(1e-5) == '1e-05' and str(123456789.0) == '123456789.0'\nassert bin(5) == '0b101' and hex(-255) == '-0xff'\nassert math.isqrt(17) == 4",
	"functions":   "def outer(n):\n    def inner(k):\n        return k if k < 2 else inner(k - 1) + inner(k - 2)\n    return inner(n)\nassert outer(10) == 55\nassert list(map(lambda a, b: a + b, [1, 2], [3, 4])) == [4, 6]\nassert list(filter(None, [0, 1, 2])) == [1, 2]\nassert isinstance(1, int) and isinstance('x', (int, str)) and isinstance(True, int) and not isinstance(1.0, int)",
	"state":       "memo = {}\ndef f(n):\n    if n not in memo:\n        memo[n] = n if n < 2 else f(n - 1) + f(n - 2)\n    return memo[n]\nassert f(50) == 12586269025\ni = 0\nwhile True:\n    i += 1\n    if i > 3:\n        break\nassert i == 4",
	"wrong":       "def f(x): return x\nassert f(1) == 2",
	"index":       "assert [1][1] == 0",
	"key":         "assert {'a': 1}['b'] == 0",
	"zero":        "assert 1 / 0 == 0",
	"raise":       "def f():\n    raise ValueError('no')\nassert f() == 1",
}

// TestPieces runs each piece as Starlark and as Python.
func TestPieces(t *testing.T) {
	for name, python := range pieces {
		t.Run(name, func(t *testing.T) {
			want := "correct"
			if exec.Command("python3", "-I", "-c", python).Run() != nil {
				want = "wrong"
			}
			if _, err := exec.LookPath("python3"); err != nil {
				t.Skip(err)
			}
			o := judged(t, "", python)
			assert.Equal(t, want, o.Verdict, o.Detail)
		})
	}
}

// TestRefused is what has no verdict, by the reason given.
func TestRefused(t *testing.T) {
	for python, reason := range map[string]string{
		"class A:\n    pass":                            "classes",
		"try:\n    x = 1\nexcept ValueError:\n    pass": "exceptions",
		"def f():\n    yield 1":                         "generators",
		"import os\nos.system('x')":                     "import os",
		"from subprocess import run":                    "import subprocess",
		"open('/etc/passwd')":                           "open",
		"load('x', 'y')":                                "load",
		"eval('1')":                                     "eval",
		"x = 'é'":                                       "ASCII",
		"py__assert = 1":                                "py__assert",
		"x = 1\nx.__class__":                            "__class__",
		"def f(:\n":                                     "missing",
		"x = )":                                         "opens nowhere",
		strings.Repeat("(", 5000) + strings.Repeat(")", 5000): "deep",
		"x = [" + strings.Repeat("-", 200000) + "1]":          "",
		"assert str([1]) == '[1]'":                            "written as text",
		"assert list(set([3, 1])) == [1, 3]":                  "order of a set",
		"import math\nassert math.sin(1) == 0":                "last digit",
	} {
		o := judged(t, "", python)
		if reason == "" {
			assert.NotEqual(t, "correct", o.Verdict)
			continue
		}
		assert.Equal(t, "error", o.Verdict, python)
		assert.Contains(t, o.Detail, reason, python)
	}
}

// raced reports whether this is built with the race detector.
func raced() bool {
	build, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(build.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// TestHostile is what is contained: each ends in time, with its reason, and this process goes on.
func TestHostile(t *testing.T) {
	if raced() {
		t.Skip("the race detector needs more memory than a program may have")
	}
	for name, c := range map[string]struct{ answer, reason string }{
		"a loop":        {"while True:\n    pass", "timeout"},
		"memory":        {"x = [0] * 1000\nwhile True:\n    x = x + x", "memory"},
		"text":          {"x = 'ab'\nwhile True:\n    x = x + x", "memory"},
		"a dict":        {"d, i = {}, 0\nwhile True:\n    d[i] = str(i)\n    i += 1", "memory"},
		"recursion":     {"def f(x):\n    return f(x + 1)\nf(0)", ""},
		"a big power":   {"x = 9 ** 9 ** 9", "power"},
		"a big product": {"x = 3\nwhile True:\n    x = x * x", "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			wall := 30 * time.Second
			if c.reason == "timeout" {
				wall = time.Second
			}
			o := judgedIn(t, wall, c.answer, "assert True")
			want := "wrong"
			if c.reason == "timeout" {
				want = "error"
			}
			assert.Equal(t, want, o.Verdict, o.Detail)
			assert.Contains(t, o.Detail, c.reason)
		})
	}
}

// TestCheats are answers that would have the tests believe them.
func TestCheats(t *testing.T) {
	tests := "assert f(2) == 4\nassert sorted([2, 1]) == [1, 2]\nassert len([f(1)]) == 1"
	assert.Equal(t, "correct", judged(t, "def f(x):\n    return x * x", tests).Verdict)
	for name, answer := range map[string]string{
		"another sorted":  "def sorted(x):\n    return x\ndef f(x):\n    return x",
		"printed verdict": "print('{\"verdict\": \"correct\", \"detail\": \"\"}')\ndef f(x):\n    return x",
		"fail":            "def f(x):\n    fail('x')",
		"no answer":       "",
		"another len":     "def len(x):\n    return 1\ndef f(x):\n    return x",
	} {
		assert.NotEqual(t, "correct", judged(t, answer, tests).Verdict, name)
	}
	for name, tests := range map[string]string{"abs": "assert abs(f(2) - 4) < 1e-6", "len": "assert len(f(2)) == 1", "int": "assert int(f('4')) == 4", "sum": "assert sum([f(2)]) == 4"} {
		o := judged(t, "def "+name+"(x):\n    return {'abs': 0, 'len': 1, 'int': 4, 'sum': 4}['"+name+"']\ndef f(x):\n    return []", tests)
		assert.Equal(t, "error", o.Verdict, name)
		assert.Contains(t, o.Detail, "the answer defines "+name)
	}
	assert.Equal(t, "error", judged(t, "def f(x):\n    return 1", "x = f(1)").Verdict, "tests that assert nothing")
	assert.Equal(t, "wrong", judged(t, "def f(x):\n    return 1", "def test_f():\n    assert f(1) == 2").Verdict, "functions of tests are called")
}

func TestJudgeStops(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Judge(ctx, Program{"while True:\n    pass", "assert True"}, Limits{Wall: time.Minute, Memory: 64 << 20})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

// FuzzTranslate: no source makes the translation panic, and what is not changed is not changed.
func FuzzTranslate(f *testing.F) {
	for _, p := range pieces {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if tokens, err := scan(src); err == nil {
			want := strings.ReplaceAll(src, "\r\n", "\n")
			if !strings.HasSuffix(want, "\n") {
				want += "\n"
			}
			require.Equal(t, want, source(tokens))
		}
		_, _ = translate(src)
	})
}
