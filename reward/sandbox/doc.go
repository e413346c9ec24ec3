// Package sandbox runs untrusted programs: what a model wrote, for instance. A program gets the files that it is given and nothing else of the
// machine: no network, no other processes, no user's rights, and limits on memory, processor time, wall-clock time, output, files and processes.
//
// Bubblewrap (bwrap) makes the namespaces; this package adds a seccomp filter, resource limits, a watch over memory and the deadline.
// Where bubblewrap cannot be had, or the machine does not let it confine a program, Run refuses with an error. It never runs a
// program unprotected. docs/sandbox.md says what is isolated, how, and what that is not safe for.
//
// It may import the standard library alone. It runs on Linux on x86-64; elsewhere it refuses.
package sandbox
