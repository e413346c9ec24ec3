package main

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
)

// cause says in one line why a run failed: the stage and the activity, as far as they are known, and the innermost error.
func cause(err error) string {
	var where []string
	var child *temporal.ChildWorkflowExecutionError
	if errors.As(err, &child) {
		_, stage, ok := strings.Cut(child.WorkflowID(), "/")
		if !ok {
			stage = child.WorkflowType()
		}
		where = append(where, "stage "+stage)
	}
	var act *temporal.ActivityError
	if errors.As(err, &act) {
		where = append(where, act.ActivityType().GetName())
	}
	text := innermost(err)
	if len(where) == 0 {
		return text
	}
	return strings.Join(where, ", ") + ": " + text
}

// innermost is the message of the last error in the chain that says something.
func innermost(err error) string {
	last := err
	for next := err; next != nil; next = errors.Unwrap(next) {
		last = next
	}
	var (
		app        *temporal.ApplicationError
		timeout    *temporal.TimeoutError
		terminated *temporal.TerminatedError
		canceled   *temporal.CanceledError
	)
	switch {
	case errors.As(last, &app):
		return app.Message()
	case errors.As(last, &timeout):
		return fmt.Sprintf("timed out (%s)", timeout.TimeoutType())
	case errors.As(last, &terminated):
		return "terminated"
	case errors.As(last, &canceled):
		return "cancelled"
	}
	return last.Error()
}
