package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/memory"
	"temper/lm"
	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/serve/engine"
)

// checkpoint writes a tiny random model.
func checkpoint(t *testing.T) string {
	t.Helper()
	tok := tokenizer.Chars("abcdefghijklmnopqrstuvwxyz ")
	c := hf.Config{Architecture: hf.Llama, ModelType: "llama", VocabSize: tok.VocabSize(), Hidden: 16, Layers: 1, Heads: 2, KVHeads: 1, HeadDim: 8, FFN: 32, NormEps: 1e-6,
		RopeTheta: 10000, MaxPositions: 96, TieEmbeddings: true, BOS: 1, PAD: 0, EOS: []int{2}, InitializerRange: 0.3, Dtype: "float32"}
	dir := filepath.Join(t.TempDir(), "little")
	require.NoError(t, hf.Save(dir, &hf.Model{Config: c, Tensors: lm.Init(c, 2), TokenizerFiles: tok.Files()}))
	return dir
}

// quiet is a program with settings of its own.
func quiet(t *testing.T) (a *app, out *bytes.Buffer) {
	out = &bytes.Buffer{}
	return &app{out: out, err: io.Discard, sets: []string{"dir=" + t.TempDir()}}, out
}

func TestServeAnswersAndStops(t *testing.T) {
	a, _ := quiet(t)
	a.sets = append(a.sets, "serve.api_key=hush-hush")
	r, w := io.Pipe()
	a.out = w
	var logged bytes.Buffer
	a.err = &logged
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- a.serve(ctx, serveOptions{model: checkpoint(t), listen: "127.0.0.1:0"})
		w.Close()
	}()
	said := make([]byte, 200)
	n, err := r.Read(said)
	require.NoError(t, err)
	found := regexp.MustCompile(`^serving little on (http://127\.0\.0\.1:\d+)/v1\n$`).FindSubmatch(said[:n])
	require.NotNil(t, found, "%s", said[:n])
	ask, err := http.NewRequestWithContext(t.Context(), "POST", string(found[1])+"/v1/completions", strings.NewReader(`{"model":"little","prompt":"abc","max_tokens":5,"seed":1}`))
	require.NoError(t, err)
	ask.Header.Set("Authorization", "Bearer hush-hush")
	resp, err := http.DefaultClient.Do(ask)
	require.NoError(t, err)
	defer resp.Body.Close()
	var answer struct{ Choices []struct{ Text string } }
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))
	require.Len(t, answer.Choices, 1)
	stop()
	require.NoError(t, <-served)
	require.NotContains(t, logged.String(), "hush-hush")
}

func TestChatOverAPipe(t *testing.T) {
	dir := checkpoint(t)
	say := func(o chatOptions, lines string) (string, error) {
		a, out := quiet(t)
		o.model, o.topP = dir, 1
		err := a.chat(t.Context(), o, strings.NewReader(lines))
		return out.String(), err
	}
	_, err := say(chatOptions{}, "hello\n")
	require.ErrorContains(t, err, "no chat template")
	require.ErrorContains(t, err, "--raw")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "chat_template.jinja"), []byte("{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}"), 0o600))
	talk, err := say(chatOptions{temperature: 1, maxTokens: 5, seed: 3, system: "be brief"}, "abc\nxyz\n")
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(talk, "\n"))
	first, err := say(chatOptions{raw: true, temperature: 1, maxTokens: 8, seed: 3}, "abc\n\nxyz\n")
	require.NoError(t, err)
	require.Equal(t, 2, strings.Count(first, "\n"), "an answer a line: %q", first)
	again, err := say(chatOptions{raw: true, temperature: 1, maxTokens: 8, seed: 3}, "abc\nxyz\n")
	require.NoError(t, err)
	require.Equal(t, first, again)
	forgotten, err := say(chatOptions{raw: true, maxTokens: 8}, "abc\n/clear\nabc\n")
	require.NoError(t, err)
	answers := strings.Split(forgotten, "\n")
	require.Equal(t, answers[0], answers[1], "/clear forgets")
	_, err = say(chatOptions{raw: true, maxTokens: 90}, "abc abc\n")
	require.ErrorContains(t, err, "the context is 96 tokens")
}

// Ctrl-C ends the answer alone: the conversation goes on with what was said until then.
func TestSignalStopsTheAnswer(t *testing.T) {
	a, out := quiet(t)
	s, err := a.settings()
	require.NoError(t, err)
	m, done, err := a.servedModel(t.Context(), s, checkpoint(t), "", engine.Options{MaxBatch: 1, MaxWaiting: 1}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer done()
	require.Equal(t, "little", m.Name)
	c := &conversation{app: a, chatOptions: chatOptions{raw: true, topP: 1, temperature: 1}, model: m}
	signals := make(chan os.Signal, 1)
	said := ""
	for range 2 {
		before := out.Len()
		signals <- os.Interrupt
		require.NoError(t, c.answer(t.Context(), "abc", signals))
		said += "abc" + out.String()[before:] + "\n"
	}
	require.Equal(t, said, c.text)
}

func TestModelReferences(t *testing.T) {
	s := artifact.New(memory.New())
	_, err := modelRef(t.Context(), s, "latest")
	require.ErrorContains(t, err, "no model in the bucket")
	var refs []artifact.Ref
	for i, text := range []string{"one", "two"} {
		ref, err := s.Commit(t.Context(), artifact.Manifest{Created: time.Unix(int64(1000+i), 0), Kind: "model", Settings: json.RawMessage("{}"), Code: "c", Summary: text}, map[string][]byte{"config.json": []byte(text)})
		require.NoError(t, err)
		refs = append(refs, ref)
	}
	newest, err := modelRef(t.Context(), s, "latest")
	require.NoError(t, err)
	require.True(t, newest.Same(refs[1]))
	require.NoError(t, s.SetAlias(t.Context(), "best", refs[0], nil, "me", "test"))
	best, err := modelRef(t.Context(), s, "best")
	require.NoError(t, err)
	require.True(t, best.Same(refs[0]))
	short, err := modelRef(t.Context(), s, refs[0].Digest[:12])
	require.NoError(t, err)
	require.True(t, short.Same(refs[0]))
}

func TestModelThatIsNotThere(t *testing.T) {
	code, _, stderr := cli(t, "serve", "--model", "./no/such", "--listen", "127.0.0.1:0")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "./no/such: there is no such folder")
	code, _, stderr = cli(t, "chat")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--model")
}
