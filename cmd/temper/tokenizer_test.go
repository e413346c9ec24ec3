package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/lm/tokenizer"
)

// tokenizerDir is a folder with the tokenizer that has a token for each of the characters.
func tokenizerDir(t *testing.T, alphabet string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range tokenizer.Chars(alphabet).Files() {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o644))
	}
	return dir
}

// ask runs a command line with an input.
func ask(t *testing.T, input string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	a := &app{out: &out, err: &errs}
	root := a.root()
	root.SetIn(strings.NewReader(input))
	root.SetArgs(args)
	if err := root.ExecuteContext(context.WithoutCancel(t.Context())); err != nil {
		return exitError, out.String(), err.Error()
	}
	return exitOK, out.String(), errs.String()
}

func TestTokenizerCommand(t *testing.T) {
	dir := tokenizerDir(t, "ab<>&é😀")
	for _, test := range []struct {
		args       []string
		input      string
		want, fail string
	}{
		{[]string{"encode"}, "{\"text\": \"ab\"}\n\n{\"text\": \"\"}\n{\"text\": \"<bos>\\u00e9\"}", "{\"ids\":[1,4,5]}\n{\"ids\":[1]}\n{\"ids\":[1,1,9]}\n", ""},
		{[]string{"encode", "--no-special"}, "{\"text\": \"ab\"}\n{\"text\": \"\"}\n{\"text\": \"<bos>\"}\n", "{\"ids\":[4,5]}\n{\"ids\":[]}\n{\"ids\":[6,5,3,3,7]}\n", ""},
		{[]string{"decode"}, "{\"ids\": [1, 4, 10]}\n{\"ids\":[]}\n{\"ids\":[6,8]}", "{\"text\":\"<bos>a😀\"}\n{\"text\":\"\"}\n{\"text\":\"<&\"}\n", ""},
		{[]string{"decode", "--no-special"}, "{\"ids\": [1, 4, 2]}\n", "{\"text\":\"a\"}\n", ""},
		{[]string{"encode"}, "{\"text\": \"a\"}\n\n{\"text\": 3}\n{\"text\": \"b\"}\n", "{\"ids\":[1,4]}\n", "line 3: json: cannot unmarshal number"},
		{[]string{"encode"}, "nonsense\n", "", "line 1: invalid character"},
		{[]string{"encode"}, "{}\n", "", `line 1: has no field "text"`},
		{[]string{"encode"}, "{\"text\": null}\n", "", `line 1: has no field "text"`},
		{[]string{"encode"}, "{\"text\": \"a\"} {}\n", "", "line 1: has more than one JSON value"},
		{[]string{"encode"}, "{\"test\": \"a\"}\n", "", `line 1: json: unknown field "test"`},
		{[]string{"encode"}, "{\"text\": \"a", "", "line 1: unexpected EOF"},
		{[]string{"decode"}, "{\"ids\": [1]}\n{\"text\": \"a\"}\n", "{\"text\":\"<bos>\"}\n", `line 2: json: unknown field "text"`},
		{[]string{"decode"}, "{\"ids\": [4, 11]}\n", "", "line 1: ids[1]: 11 is not in the vocabulary"},
		{[]string{"decode"}, "{\"ids\": [-1]}\n", "", "line 1: ids[0]: -1 is no token's id"},
		{[]string{"decode"}, "{\"ids\": [4294967300]}\n", "", "line 1: ids[0]: 4294967300 is no token's id"},
	} {
		args := append([]string{"tokenizer", test.args[0], "--model", dir}, test.args[1:]...)
		code, out, errs := ask(t, test.input, args...)
		require.Equal(t, test.want, out, "%v of %q", test.args, test.input)
		if test.fail == "" {
			require.Equal(t, exitOK, code, errs)
		} else {
			require.Equal(t, exitError, code)
			require.Contains(t, errs, test.fail)
		}
	}
	_, _, errs := ask(t, "", "tokenizer", "encode")
	require.Contains(t, errs, "--model, the folder of the model, is missing")
	_, _, errs = ask(t, "", "tokenizer", "decode", "--model", filepath.Join(dir, "none"))
	require.Contains(t, errs, "none of tokenizer.json")
}

// A line is answered before the next one is asked, and a long one is taken whole.
func TestTokenizerAnswersAtOnce(t *testing.T) {
	dir := tokenizerDir(t, "ab")
	toUs, ask := io.Pipe()
	answers, fromUs := io.Pipe()
	done := make(chan error, 1)
	go func() {
		root := (&app{out: fromUs, err: io.Discard}).root()
		root.SetIn(toUs)
		root.SetArgs([]string{"tokenizer", "encode", "--model", dir, "--no-special"})
		done <- root.ExecuteContext(t.Context())
		_ = fromUs.Close()
	}()
	r := bufio.NewReader(answers)
	for i := range 3 {
		n := 1 + i*100_000
		go fmt.Fprintf(ask, "{\"text\": %q}\n", strings.Repeat("a", n))
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, n, strings.Count(line, "4"))
	}
	require.NoError(t, ask.Close())
	require.NoError(t, <-done)
}
