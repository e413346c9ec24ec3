// Package check judges answers to problems that have more than one right answer, or one right answer that can be written in many ways: an
// expression that makes a number, a shortest path, a list in any order. A problem names its checker in Meta["check"] and carries what the
// checker needs beside it in Meta.
//
// It may import the standard library only, so that both reward and tasks can use it. Checkers are pure, bounded in time by the limits on
// length and nesting below, and never panic; what an answer says never makes an error, only a problem that cannot be read does.
package check
