package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"temper/serve/engine"
)

// apiError is an error in OpenAI's form.
type apiError struct {
	status  int
	kind    string
	code    string // empty: none
	param   string // the request's field, empty: none
	message string
}

func (e *apiError) Error() string { return e.message }

// MarshalJSON writes {"error": {"message", "type", "param", "code"}}.
func (e *apiError) MarshalJSON() ([]byte, error) {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return json.Marshal(map[string]any{"error": map[string]any{"message": e.message, "type": e.kind, "param": orNull(e.param), "code": orNull(e.code)}})
}

// invalid is a request that cannot be done, for the reason of one field.
func invalid(param, format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, kind: "invalid_request_error", param: param, message: fmt.Sprintf(format, args...)}
}

// tooLong is a request for more tokens than a sequence may have.
func tooLong(param string, context, prompt, more int) *apiError {
	e := invalid(param, "the context is %d tokens; the prompt has %d and %d more were asked for", context, prompt, more)
	e.code = "context_length_exceeded"
	return e
}

// errorOf gives any error the form in which it is answered. What it does not know is the server's fault, and is said in the log alone.
func errorOf(err error) *apiError {
	var e *apiError
	switch {
	case errors.As(err, &e):
		return e
	case errors.Is(err, engine.ErrBusy):
		return &apiError{status: http.StatusTooManyRequests, kind: "rate_limit_error", code: "rate_limit_exceeded", message: err.Error() + "; try again later"}
	case errors.Is(err, engine.ErrClosed):
		return &apiError{status: http.StatusServiceUnavailable, kind: "server_error", code: "shutting_down", message: "the server is shutting down"}
	}
	return &apiError{status: http.StatusInternalServerError, kind: "server_error", message: "the server failed; its log has the reason"}
}

// decode reads a request's JSON object into r, which must know all its fields: a setting that is not heeded would change the answer silently.
func decode(body []byte, r any) *apiError {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return invalid("", "the request's body is no JSON object: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	err := d.Decode(r)
	if err == nil {
		return nil
	}
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return invalid(wrong.Field, "%s must be %s, is %s", wrong.Field, article(wrong.Type.String()), article(wrong.Value))
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		name = strings.Trim(name, `"`)
		return invalid(name, "unknown field %s", name)
	}
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	return invalid("", "the request's body: %v", err)
}

// article reads a type's name as a person would say it.
func article(kind string) string {
	kind = strings.TrimLeft(kind, "*")
	switch {
	case strings.HasPrefix(kind, "int"), strings.HasPrefix(kind, "uint"):
		return "an integer"
	case strings.HasPrefix(kind, "float"):
		return "a number"
	case kind == "bool":
		return "true or false"
	case strings.HasPrefix(kind, "["):
		return "a list"
	case strings.HasPrefix(kind, "map"), strings.HasPrefix(kind, "serve."), kind == "object":
		return "an object"
	case kind == "array":
		return "a list"
	}
	return "a " + kind
}
