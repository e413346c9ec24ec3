"""The second part of the harness: objects of the other process. See peer.py."""


class Remote:
    """An object of the other process."""

    _told = False  # it came from an operation with a plain value

    def __init__(self, peer, number, name):
        object.__setattr__(self, "_peer", peer)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "__name__", name)

    def __call__(self, *args, **kwargs):
        return self._peer.ask("call", self, list(args), kwargs)

    def __getattr__(self, name):
        return self._peer.ask("get", self, name)

    def __setattr__(self, name, value):
        self._peer.ask("set", self, name, value)

    def __iter__(self):
        it = self._peer.ask("iter", self)
        return it if isinstance(it, Remote) else iter(it)

    def __mro_entries__(self, bases):
        raise Unsupported("the tests derive a class from the answer's")

    def __instancecheck__(self, v):
        return isinstance(v, Remote) and v._peer is self._peer and bool(self._peer.ask("isinstance", v, self))

    def __subclasscheck__(self, v):
        return isinstance(v, Remote) and v._peer is self._peer and bool(self._peer.ask("issubclass", v, self))

    def __hash__(self):
        return hash((id(self._peer), self._number))


def checked(kind, v):
    if not isinstance(v, kind):
        raise TypeError("the answer's object gave no %s" % kind.__name__)
    return v


def forward():
    def unary(op, kind):
        def method(self):
            if self._told:
                raise TypeError("the answer's object has met a plain value of the tests, so it is none itself")
            v = self._peer.ask(op, self)
            return v if kind is None else checked(kind, v)
        return method

    def binary(op, swap=False):
        def method(self, other):
            v = self._peer.ask(op, other, self) if swap else self._peer.ask(op, self, other)
            if isinstance(other, Remote):
                return v
            # abs(f(x) - 0.5) < 1e-6 must not become a question to the answer.
            if not isinstance(v, Remote):
                raise TypeError("the answer's object and a plain value gave a plain value")
            object.__setattr__(v, "_told", True)
            return v
        return method

    def compare(op):
        def method(self, other):
            if self is other or isinstance(other, Remote) and other._number == self._number:
                return op in ("eq", "le", "ge")
            if not isinstance(other, Remote):
                return NotImplemented  # so == is False, < is an error
            return self._peer.ask(op, self, other)
        return method

    for name, kind in {"len": int, "bool": bool, "str": str, "repr": str, "float": float, "int": int, "index": int, "next": None, "abs": None,
                       "neg": None, "pos": None, "invert": None, "enter": None, "reversed": None}.items():
        setattr(Remote, "__%s__" % name, unary(name, kind))
    for name in BINARY:
        plain = name.rstrip("_")
        setattr(Remote, "__%s__" % plain, binary(name))
        setattr(Remote, "__r%s__" % plain, binary(name, swap=True))
    for name in COMPARE:
        setattr(Remote, "__%s__" % name, compare(name))
    Remote.__getitem__ = lambda self, k: self._peer.ask("item", self, k)
    Remote.__setitem__ = lambda self, k, v: self._peer.ask("setitem", self, k, v)
    Remote.__delitem__ = lambda self, k: self._peer.ask("delitem", self, k)
    Remote.__delattr__ = lambda self, k: self._peer.ask("del", self, k)
    Remote.__format__ = lambda self, spec: checked(str, self._peer.ask("format", self, spec))
    Remote.__round__ = lambda self, n=None: self._peer.ask("round", self, n)
    Remote.__exit__ = lambda self, *e: self._peer.ask("exit", self, e[0] is not None and str(e[1]) or None)


forward()

OPERATIONS = {
    "call": lambda f, args, kwargs: f(*args, **kwargs),
    "get": getattr, "set": setattr, "del": delattr, "item": operator.getitem, "setitem": operator.setitem, "delitem": operator.delitem,
    "len": len, "bool": bool, "str": str, "repr": repr, "float": float, "int": int, "index": operator.index, "iter": iter, "next": next,
    "abs": abs, "neg": operator.neg, "pos": operator.pos, "invert": operator.invert, "reversed": reversed, "format": format, "round": round,
    "isinstance": isinstance, "issubclass": issubclass,
    "enter": lambda v: v.__enter__(), "exit": lambda v, e: v.__exit__(*((RuntimeError, RuntimeError(e), None) if e else (None, None, None))),
}
for name in BINARY + COMPARE:
    OPERATIONS[name] = getattr(operator, name)
