"""Runs tests against an answer in two processes, so that the answer cannot say that it is right.

The answer runs in a child, which has neither the tests nor the descriptor that the verdict goes to. The tests run in the parent. Where they
use a name of the answer they get a Remote: a call is sent to the child, and what comes back is decoded to plain values of Python's own
types. An object of any other kind stays in the child and is a Remote too. A Remote equals no plain value, so an answer's own __eq__ never meets
a value that the tests wrote.

Standard input: the lengths of the answer and the tests, one line, then both. Descriptor 3: {"ready": true}, then {"verdict", "detail"}.
"""
import builtins
import io
import operator
import os
import sys



def codec():
    """JSON by the library's C parts: the package json itself takes longer to import than most answers to run."""
    try:
        import _json

        class Context:
            strict, object_hook, object_pairs_hook, parse_float, parse_int = True, None, None, float, int
            parse_constant = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}.__getitem__

        encode = _json.make_encoder(None, None, _json.encode_basestring_ascii, None, ":", ",", False, False, True)
        scan = _json.make_scanner(Context())

        def dumps(v):
            return "".join(encode(v, 0))

        def loads(data):
            return scan(data.decode(), 0)[0]

        if loads(dumps(["a", {"b": [1, 2.5, None, True]}]).encode()) == ["a", {"b": [1, 2.5, None, True]}]:
            return dumps, loads
    except Exception:
        pass  # another version's parts
    import json
    return json.dumps, json.loads


dumps, loads = codec()
LIMIT = 64 << 20  # bytes of one message
MODULES = frozenset(
    "math cmath re collections itertools functools string random heapq bisect operator datetime decimal fractions statistics copy json typing "
    "time calendar textwrap numbers abc enum dataclasses".split())
BINARY = ("add sub mul truediv floordiv mod pow matmul lshift rshift and_ or_ xor").split()
COMPARE = "lt le gt ge eq ne".split()


class Unsupported(BaseException):
    """The tests do what they cannot across two processes; says nothing about the answer."""


class Gone(BaseException):
    """The other process has ended."""


class Peer:
    """One end of the connection: sends operations on the other's objects and serves those on its own."""

    def __init__(self, read, write, trusted):
        self.read, self.write = os.fdopen(read, "rb"), os.fdopen(write, "wb")
        self.trusted = trusted  # this end has the tests
        self.mine, self.numbers = {}, {}  # objects that the other end holds, by number; numbers by id
        self.classes = {}  # the other end's exceptions, by number
        self.output = None  # the answer's captured output
        self.tests = None  # name of the module whose classes the answer may use

    def send(self, message):
        data = dumps(message).encode()
        self.write.write(b"%d\n" % len(data) + data)
        self.write.flush()

    def receive(self):
        head = self.read.readline(20)
        if not head.endswith(b"\n"):
            raise Gone
        size = int(head)
        if not 0 <= size <= LIMIT:
            raise Gone
        data = self.read.read(size)
        if len(data) < size:
            raise Gone
        return loads(data)

    # Operations.

    def ask(self, op, *args):
        """Does op at the other end, which may ask in turn before it answers."""
        try:
            self.send(["ask", op, [self.encode(a) for a in args]])
            while True:
                message = self.receive()
                if message[0] != "ask":
                    break
                self.serve(message[1], message[2])
        except (OSError, EOFError) as e:
            raise Gone from e
        status, value, changed, output = message
        if output:
            sys.stdout.write(output)
        for i, new in changed:
            restore(args[i], self.decode(new))
        if status == "ok":
            return self.decode(value)
        raise self.exception(value)

    def serve(self, op, encoded):
        before = {}
        if not self.trusted:
            before = {i: dumps(a) for i, a in enumerate(encoded) if op == "call" and i > 0}
        try:
            args = [self.decode(a) for a in encoded]
            if self.trusted and not (isinstance(encoded[0], dict) and "o" in encoded[0]):
                raise TypeError("the answer may use objects of the tests alone")
            status, value = "ok", self.encode(self.do(op, args))
        except (Gone, Unsupported):
            raise
        except BaseException as e:
            status, value = "error", self.describe(e)
        changed = []
        for i, old in before.items():  # arguments are copies here: what the answer did to them goes back
            try:
                new = self.encode(args[i])
                if dumps(new) != old:
                    changed.append([i, new])
            except (TypeError, ValueError, RecursionError):
                pass
        self.send([status, value, changed, self.output.take() if self.output else ""])

    def do(self, op, args):
        if self.trusted:
            return self.guarded(op, args)
        return OPERATIONS[op](*args)

    def guarded(self, op, args):
        """What the answer may do to what the tests handed it: call it, iterate over it, and use the attributes of the tests' own classes."""
        target = args[0]
        if op in ("call", "iter", "next", "len", "bool", "str", "repr", "item", "float", "int", "index", "abs") or op in BINARY:
            return OPERATIONS[op](*args)
        if op in COMPARE and not isinstance(target, Remote):
            return OPERATIONS[op](*args)
        if op in ("get", "set") and isinstance(args[1], str) and not args[1].startswith("_") and type(target).__module__ == self.tests:
            return OPERATIONS[op](*args)
        raise AttributeError("the answer may not do this to an object of the tests: %s" % op)

    # Values.

    def encode(self, v):
        kind = type(v)
        if v is None or kind is bool or kind is str or kind is float:
            return v
        if kind is int:
            return v if -(1 << 62) < v < 1 << 62 else {"i": hex(v)}
        if kind is list:
            return [self.encode(x) for x in v]
        if kind is Remote:
            return {"o": v._number}
        tag = PLAIN.get(kind)
        if tag:
            return {tag: [self.encode(x) for x in v]}
        if kind is dict:
            return {"d": [[self.encode(k), self.encode(x)] for k, x in v.items()]}
        if kind is bytes or kind is bytearray:
            return {"b" if kind is bytes else "B": v.hex()}
        if kind is complex:
            return {"c": [v.real, v.imag]}
        if kind is range:
            return {"r": [self.encode(x) for x in (v.start, v.stop, v.step)]}
        if kind is type(sys) and v.__name__ in MODULES:
            return {"m": v.__name__}
        if kind is type and getattr(builtins, v.__name__, None) is v:
            return {"y": v.__name__}
        return self.encode_library(v, kind) or self.export(v)

    def encode_library(self, v, kind):
        """Values of the library's types, and of classes derived from Python's own, as values; None for other objects."""
        name = kind.__module__ + "." + kind.__qualname__
        if name == "fractions.Fraction":
            return {"L": [name, [self.encode(v.numerator), self.encode(v.denominator)]]}
        if name == "decimal.Decimal":
            return {"L": [name, [str(v)]]}
        if name in ("datetime.date", "datetime.datetime", "datetime.time") and getattr(v, "tzinfo", None) is None:
            return {"L": [name, [getattr(v, f) for f in "year month day hour minute second microsecond".split() if hasattr(v, f)]]}
        if name == "datetime.timedelta":
            return {"L": [name, [v.days, v.seconds, v.microseconds]]}
        if name in ("collections.Counter", "collections.OrderedDict"):
            return {"L": [name, [self.encode(dict(v))]]}
        if name == "collections.deque":
            return {"L": [name, [[self.encode(x) for x in v], v.maxlen]]}
        if isinstance(v, tuple) and hasattr(kind, "_fields"):
            return {"n": [kind.__name__, list(kind._fields), [self.encode(x) for x in v]]}
        if "enum" in sys.modules and isinstance(v, sys.modules["enum"].Enum):
            return None
        if isinstance(v, int):
            return self.encode(int.__add__(v, 0))
        if isinstance(v, (str, float, list, tuple, set, frozenset, dict)):
            for base in (str, float, list, tuple, set, frozenset, dict):
                if isinstance(v, base):
                    if base is dict:
                        return {"d": [[self.encode(k), self.encode(x)] for k, x in dict.items(v)]}
                    return self.encode(base.__str__(v) if base is str else base.__float__(v) if base is float else base(base.__iter__(v)))
        return None

    def export(self, v):
        number = self.numbers.get(id(v))
        if number is None:
            number = self.numbers[id(v)] = len(self.mine)
            self.mine[number] = v
        kind = "class" if isinstance(v, type) else "object"
        if kind == "class" and issubclass(v, BaseException):
            kind = "exception"
        out = {"h": [number, kind, getattr(v, "__name__", "") if kind != "object" or callable(v) else type(v).__name__]}
        if kind == "exception":
            out["bases"] = [c.__name__ for c in v.__mro__ if c.__module__ == "builtins"]
        return out

    def decode(self, e):
        if e is None or isinstance(e, (bool, int, float, str)):
            return e
        if isinstance(e, list):
            return [self.decode(x) for x in e]
        (tag, v), *_ = e.items()
        if tag == "o":
            return self.mine[v]
        if tag == "h":
            return self.remote(e)
        if tag == "i":
            return int(v, 16)
        if tag in SEQUENCES:
            return SEQUENCES[tag](self.decode(x) for x in v)
        if tag == "d":
            return {self.decode(k): self.decode(x) for k, x in v}
        if tag == "b":
            return bytes.fromhex(v)
        if tag == "B":
            return bytearray.fromhex(v)
        if tag == "c":
            return complex(*v)
        if tag == "r":
            return range(*(self.decode(x) for x in v))
        if tag == "m" and v in MODULES:
            return __import__(v)
        if tag == "y" and isinstance(getattr(builtins, v, None), type):
            return getattr(builtins, v)
        if tag == "n":
            import collections
            return collections.namedtuple(v[0], v[1])(*(self.decode(x) for x in v[2]))
        if tag == "L" and v[0] in LIBRARY:
            module, name = v[0].split(".")
            return getattr(__import__(module), name)(*(self.decode(x) for x in v[1]))
        raise Gone

    def remote(self, e):
        number, kind, name = e["h"]
        if kind != "exception":
            return Remote(self, number, name)
        if number not in self.classes:  # tests catch it, so it must be a class here
            self.classes[number] = type(name, (exception_class(e["bases"]),), {"__module__": "answer"})
        return self.classes[number]

    def describe(self, error):
        kind = type(error)
        args = []
        for a in error.args:
            args.append(self.encode(a if a is None or type(a) in (int, float, str, bool, tuple, list) else str(a)))
        return {"class": self.encode(kind), "args": args}

    def exception(self, described):
        kind = self.decode(described["class"])
        args = [self.decode(a) for a in described["args"]]
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            kind = RuntimeError
        try:
            error = kind(*args)
        except Exception:
            error = RuntimeError(*args)
        error.from_answer = True
        return error


def exception_class(names):
    for n in names:
        c = getattr(builtins, n, None)
        if isinstance(c, type) and issubclass(c, BaseException):
            return c
    return Exception


PLAIN = {tuple: "t", set: "s", frozenset: "z"}
SEQUENCES = {"t": tuple, "s": set, "z": frozenset}
LIBRARY = frozenset(("fractions.Fraction decimal.Decimal datetime.date datetime.datetime datetime.time datetime.timedelta "
                     "collections.Counter collections.OrderedDict collections.deque").split())


def restore(old, new):
    """Makes the caller's list, dict or set what its copy has become, through lists, tuples and dicts within."""
    if type(old) is not type(new):
        return
    if isinstance(old, (list, tuple)):
        if len(old) == len(new):
            pairs = list(zip(old, new))
            for a, b in pairs:
                restore(a, b)
            new = [a if inner(a, b) else b for a, b in pairs]
        if isinstance(old, list):
            old[:] = new
    elif isinstance(old, dict):
        for k in new:
            if k in old:
                restore(old[k], new[k])
                if inner(old[k], new[k]):
                    new[k] = old[k]
        old.clear()
        old.update(new)
    elif isinstance(old, (set, bytearray)):
        old.clear()
        (old.update if isinstance(old, set) else old.extend)(new)


def inner(a, b):
    return type(a) is type(b) and isinstance(a, (list, dict, set, bytearray, tuple)) and a == b
