// Package starlark judges answers in Python where no sandbox can be had: as Starlark, a dialect of Python whose programs can reach nothing of the
// machine, interpreted by go.starlark.net in a process of its own with limits of time and memory.
//
// The dialect has no classes, exceptions, generators and imports. What of Python can be said in it is translated (tokens.go, translate.go, rewrite.go),
// functions that it lacks are added (builtins.go, methods.go), and where it would answer otherwise than Python it answers as Python does. Everything
// else is refused by name: such an answer has no verdict. So "wrong" means what it means in Python, and "correct" does.
package starlark
