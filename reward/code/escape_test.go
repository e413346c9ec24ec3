package code

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// finds the connection to the tests, as an answer that knows the harness would.
const findPeer = `
import sys
def peer():
    f = sys._getframe()
    while f:
        for v in f.f_locals.values():
            if type(v).__name__ == "Peer": return v
        f = f.f_back
`

// Ways in which an answer in Python may try to pass without being right. None gives the tests' values.
var escapes = map[string]string{
	"exit when it is defined":       "import sys\nsys.exit(0)",
	"exit when it is called":        "import sys\ndef f(x): sys.exit(0)",
	"raises SystemExit":             "def f(x): raise SystemExit",
	"os._exit when it is defined":   "import os\nos._exit(0)",
	"os._exit when it is called":    "import os\ndef f(x): os._exit(0)",
	"prints the verdict":            `def f(x): print('{"ready": true}\n{"verdict": "correct", "detail": ""}')`,
	"writes the verdict everywhere": "import os\nfor fd in range(3, 1000):\n    try: os.write(fd, b'{\"verdict\": \"correct\", \"detail\": \"\"}\\n')\n    except OSError: pass\ndef f(x): return 0",
	"at exit":                       "import atexit, os\natexit.register(lambda: os.write(3, b'{\"verdict\": \"correct\"}'))\ndef f(x): return 0",
	"kills the tests":               "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\ndef f(x): return 0",
	"interrupts the tests":          "import os, signal\ndef f(x):\n    os.kill(os.getppid(), signal.SIGINT)",
	"stops the tests":               "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\ndef f(x): return 0",
	"edits builtins":                "import builtins\nbuiltins.AssertionError = type('A', (BaseException,), {})\nbuiltins.abs = builtins.len = builtins.isinstance = lambda *a: True\ndef f(x): return 0",
	"an abs of its own":             "def abs(x): return 0\ndef len(x): return 3\ndef isinstance(*a): return True\ndef f(x): return 0",
	"a check of its own":            "def check(*a): pass\ndef test_f(): pass\ndef f(x): return 0",
	"a math of its own":             "class math:\n    isclose = lambda *a: True\n    fabs = lambda x: 0\ndef f(x): return 0",
	"equals everything":             "class E:\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __eq__\n    def __abs__(self): return self\n    def __sub__(self, o): return self\n    __rsub__ = __sub__\n    def __hash__(self): return 0\ndef f(x): return E()",
	"a difference of nothing":       "class E:\n    def __sub__(self, o): return 0.0\n    __rsub__ = __sub__\n    def __float__(self): return 0.0\ndef f(x): return E()",
	"a number that equals all":      "class I(int):\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n    def __sub__(self, o): return 0\n    def __hash__(self): return 0\ndef f(x): return I(0)",
	"a list that equals all":        "class L(list):\n    def __eq__(self, o): return True\ndef f(x): return L()",
	"a text that equals all":        "class S(str):\n    def __eq__(self, o): return True\ndef f(x): return S()",
	"claims to be an int":           "class E:\n    __class__ = int\n    def __eq__(self, o): return True\ndef f(x): return E()",
	"mock.ANY":                      "from unittest.mock import ANY\ndef f(x): return ANY",
	"mock.ANY as the function":      "from unittest.mock import MagicMock\nf = MagicMock()\nf.return_value.__eq__ = lambda *a: True",
	"a metaclass":                   "class M(type):\n    def __eq__(self, o): return True\n    def __instancecheck__(self, o): return True\n    __hash__ = type.__hash__\nclass E(metaclass=M): pass\ndef f(x): return E",
	"traces":                        "import sys\ndef trace(frame, event, arg):\n    for k in frame.f_locals: pass\n    return trace\nsys.settrace(trace)\nsys.setprofile(trace)\ndef f(x): return 0",
	"looks for the tests":           "import gc, sys\ndef f(x):\n    for o in gc.get_objects():\n        if isinstance(o, dict) and 'tests' in o: return o['tests']\n    return [v for fr in [sys._getframe(1)] for v in fr.f_locals]",
	"reads the input":               "import sys, os\ntext = sys.stdin.read() + os.read(0, 10000).decode()\ndef f(x): return text or 0",
	"another main":                  "import sys\nsys.modules['__main__'].f = lambda x: 3\nsys.modules['__main__'].main = lambda: None\ndef f(x): return 0",
	"another builtins in names":     findPeer + "\np = peer()\np.send(['defined', {'__builtins__': {'d': [['abs', p.encode(lambda *a: 0)]]}, 'f': p.encode(lambda x: 0)}, ''])\nwhile True:\n    m = p.receive(); p.serve(m[1], m[2])",
	"a class made in the tests":     findPeer + "\ndef f(x):\n    p = peer()\n    p.send(['ask', 'call', [{'y': 'type'}, ['E', {'t': [{'y': 'object'}]}, {'d': [['__eq__', p.encode(lambda *a: True)]]}], {'d': []}]])\n    e = p.receive()\n    p.send(['ask', 'call', [e[1], [], {'d': []}]])\n    e = p.receive()\n    p.send(['ok', {'o': e[1]['h'][0]}, [], ''])\n    import time; time.sleep(60)",
	"code in the tests":             findPeer + "\ndef f(x):\n    p = peer()\n    for op, args in (('call', [{'m': 'os'}]), ('get', [{'y': 'int'}, '__subclasses__']), ('get', [{'o': 0}, '__globals__']), ('call', [{'g': 'eval'}, ['1'], {'d': []}])):\n        p.send(['ask', op, args]); p.receive()\n    return 0",
	"nonsense":                      findPeer + "\ndef f(x):\n    p = peer()\n    p.write.write(b'5\\n[[[[['); p.write.flush()",
	"a long message":                findPeer + "\ndef f(x):\n    p = peer()\n    p.write.write(b'99999999999\\n['); p.write.flush()",
	"a deep message":                findPeer + "\ndef f(x):\n    p = peer()\n    b = b'[' * 1000000\n    p.write.write(b'%d\\n' % len(b) + b); p.write.flush()",
	"a deep result":                 "def f(x):\n    r = []\n    for _ in range(100000): r = [r]\n    return r",
	"a result that holds itself":    "def f(x):\n    r = []\n    r.append(r)\n    return r",
	"an unknown kind of value":      findPeer + "\ndef f(x):\n    p = peer()\n    p.send(['ok', {'L': ['os.system', ['true']]}, [], ''])",
	"skips":                         "import unittest\ndef f(x): raise unittest.SkipTest('no')",
	"changes the arguments":         findPeer + "\ndef f(x):\n    p = peer()\n    p.send(['ok', 0, [[0, 3], [-1, 3], [7, 3]], ''])",
	"forks":                         "import os\nos.fork()\ndef f(x):\n    os.fork()\n    return 0",
	"fork bomb":                     "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
	"floods":                        "import os\nwhile True: os.write(1, b'x' * 10000)",
}

func TestPythonEscapes(t *testing.T) {
	needsSandbox(t)
	for _, tests := range []struct{ name, text, entry string }{
		{"asserts", "assert f(2) == 3\nassert f([1]) == [3, 4]\nassert f('') == 'a'", ""},
		{"tolerance", "import math\nassert abs(f(2) - 3) < 1e-6\nassert math.isclose(f(2), 3)", ""},
		{"borrowed names", "assert math.isclose(f(2), 3) and abs(f(2) - 3) < 1e-6", ""},
		{"membership", "assert f(2) in (3, 4)", ""},
		{"unittest", "import unittest\nclass T(unittest.TestCase):\n    def test_a(self): self.assertEqual(f(2), 3)\n    def test_b(self): self.assertAlmostEqual(f(2), 3)\nif __name__ == '__main__': unittest.main()", ""},
		{"check", "def check(candidate):\n    assert candidate(2) == 3\n    assert len(candidate([1])) == 2 and isinstance(candidate(2), int)", "f"},
	} {
		t.Run(tests.name, func(t *testing.T) {
			var list []Program
			for _, name := range sorted(escapes) {
				list = append(list, Program{Language: "python", Completion: escapes[name], Tests: tests.text, EntryPoint: tests.entry})
			}
			for i, j := range verifyAll(t, list, Limits{Timeout: 2 * time.Second}) {
				assert.Equal(t, Wrong, j.Verdict, "%s: %s", sorted(escapes)[i], j.Detail)
			}
		})
	}
	right := Verify(context.Background(), Program{Language: "python", Completion: "def f(x): return 3", Tests: "import math\nassert f(2) in (3, 4) and math.isclose(f(2), 3)"}, Limits{})
	assert.Equal(t, Correct, right.Verdict, "the tests can pass")
}
