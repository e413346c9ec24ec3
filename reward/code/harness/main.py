"""The last part of the harness: the two processes. See peer.py."""


class Output(io.TextIOBase):
    """What the answer prints goes with the next reply, so that tests can redirect it; much of it goes to the standard output at once."""

    def __init__(self):
        self.parts, self.size = [], 0

    def writable(self):
        return True

    def write(self, text):
        self.parts.append(text)
        self.size += len(text)
        if self.size > 1 << 16:
            sys.__stdout__.write(self.take())
            sys.__stdout__.flush()
        return len(text)

    def take(self):
        text, self.parts, self.size = "".join(self.parts), [], 0
        return text


def answer(source, read, write):
    """The child: defines the answer and serves it."""
    peer = Peer(read, write, trusted=False)
    peer.output = sys.stdout = Output()
    module = type(sys)("answer")
    sys.modules["answer"] = sys.modules["__main__"] = module
    sys.setrecursionlimit(sys.getrecursionlimit() + 50)
    try:
        exec(compile(source, "<answer>", "exec", dont_inherit=True), module.__dict__)
        names = {k: peer.encode(v) for k, v in vars(module).items() if not (k.startswith("__") and k.endswith("__"))}
    except BaseException as e:
        peer.send(["failed", describe(e, "<answer>", source)])
        return
    peer.send(["defined", names, peer.output.take()])
    while True:
        message = peer.receive()
        peer.serve(message[1], message[2])


def describe(error, file, source):
    """One line: where in the file, what stands there, and the error."""
    kind = type(error)
    text = "%s: %s" % (kind.__name__, error) if str(error) else kind.__name__
    line, t = getattr(error, "lineno", None) if isinstance(error, SyntaxError) and error.filename == file else None, error.__traceback__
    while t is not None:
        if t.tb_frame.f_code.co_filename == file:
            line = t.tb_lineno
        t = t.tb_next
    if line is None:
        return text[:500]
    lines = source.splitlines()
    what = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    return "line %d: %s: %s" % (line, what[:200], text[:500])


def run_tests(source, code, peer):
    message = peer.receive()
    if message[0] == "failed":
        return "wrong", "the answer does not load: " + str(message[1])[:800]
    _, names, output = message
    sys.stdout.write(output)
    module = type(sys)("__main__")
    peer.tests = "__main__"
    for name in chosen(names, used(code)):
        module.__dict__[name] = __import__(name) if name in MODULES else peer.decode(names[name])
    sys.modules["__main__"] = module
    before = dict(module.__dict__)
    try:
        exec(code, module.__dict__)
        mine = {k: v for k, v in module.__dict__.items() if before.get(k, Unsupported) is not v}
        collected(mine)
    except SystemExit as e:
        if getattr(e, "from_answer", False) or e.code not in (None, 0, False):
            return "wrong", describe(e, "<tests>", source)
    except Unsupported as e:
        return "error", describe(e, "<tests>", source)
    except Gone:
        return "wrong", "the answer ended its process"
    except BaseException as e:
        return "wrong", describe(e, "<tests>", source)
    return "correct", ""


def used(code):
    """The names that a code object and those within it look up."""
    names = set(code.co_names)
    for c in code.co_consts:
        if isinstance(c, type(code)):
            names |= used(c)
    return names


def chosen(names, used):
    """The answer's names that tests get. The answer cannot change what abs means to the tests, unless abs is all that they test."""
    names = [n for n in names if not n.startswith("__")]
    own = [n for n in names if not hasattr(builtins, n)]
    return own if any(n in used and n not in MODULES for n in own) else names


def collected(names):
    """Calls what pytest and unittest would: functions test_* without parameters, and test cases."""
    for name, f in list(names.items()):
        if name.startswith("test") and isinstance(f, type(describe)) and f.__code__.co_filename == "<tests>":
            if f.__code__.co_argcount - len(f.__defaults__ or ()) == 0:
                f()
    if "unittest" not in sys.modules:
        return
    import unittest
    suite = unittest.TestSuite()
    for c in names.values():
        if isinstance(c, type) and issubclass(c, unittest.TestCase) and c.__module__ == "__main__":
            suite.addTest(unittest.defaultTestLoader.loadTestsFromTestCase(c))
    if suite.countTestCases():
        result = unittest.TestResult()
        suite.run(result)
        for _, text in result.errors + result.failures:
            raise AssertionError(text.strip().splitlines()[-1])


def main():
    os.closerange(4, 1 << 16)
    report = os.fdopen(3, "w")
    report.write('{"ready": true}\n')
    report.flush()
    stdin = os.fdopen(0, "rb", buffering=0, closefd=False)
    head = b""
    while not head.endswith(b"\n"):
        head += stdin.read(1)
    sizes = [int(n) for n in head.split()]

    def read(n):
        parts = []
        while n > 0:
            part = stdin.read(n)
            if not part:
                raise EOFError
            parts.append(part)
            n -= len(part)
        return b"".join(parts).decode()

    source = read(sizes[0])
    to_answer, from_answer = os.pipe(), os.pipe()
    if os.fork() == 0:
        # The tests have not been read yet, and what they come from is closed.
        report.close()
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0)
        for fd in (null, to_answer[1], from_answer[0]):
            os.close(fd)
        try:
            answer(source, to_answer[0], from_answer[1])
        finally:
            os._exit(0)
    os.close(to_answer[0])
    os.close(from_answer[1])
    tests = read(sizes[1])
    try:
        code = compile(tests, "<tests>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as e:
        verdict = "error", "the tests do not compile: " + describe(e, "<tests>", tests)
    else:
        try:
            verdict = run_tests(tests, code, Peer(from_answer[0], to_answer[1], trusted=True))
        except Gone:
            verdict = "wrong", "the answer ended its process before it was defined"
        except Exception as e:
            verdict = "wrong", "the answer's messages cannot be read: " + describe(e, "", "")
    report.write(dumps({"verdict": verdict[0], "detail": verdict[1]}) + "\n")
    report.flush()
    os._exit(0)


main()
