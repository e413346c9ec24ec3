// Package code judges programs: an answer in Python or Go against tests, in a sandbox. Its one responsibility is the map (answer, tests) ->
// verdict. docs/sandbox.md says how the verdict is kept out of the answer's reach, and where it is not.
//
// It may import the standard library and reward/sandbox.
package code
