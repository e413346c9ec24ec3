package serve

import (
	"context"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"temper/lm/tokenizer"
	"temper/serve/engine"
)

// template is a chat template of the least kind.
const template = `{% for m in messages %}{% if m.role == "tool" %}{{ raise_exception("no tool results here") }}{% endif %}{{ m.role }} {{ m.content }}.{% endfor %}
{%- if tools %}{{ tools | length }} tools.{% endif %}{% if brief %}brief {% endif %}{% if add_generation_prompt %}assistant {% endif %}`

func chatting(t *testing.T) *world {
	files := tiny(letters())
	files.TokenizerFiles["chat_template.jinja"] = []byte(template)
	return start(t, files, options, Options{Fingerprint: "fp"})
}

func TestChat(t *testing.T) {
	w := chatting(t)
	p := openai.ChatCompletionNewParams{Model: "tiny", Messages: []openai.ChatCompletionMessageParamUnion{openai.SystemMessage("be brief"),
		openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{openai.TextContentPart("hi "), openai.TextContentPart("there")})},
		MaxCompletionTokens: openai.Int(30), Temperature: openai.Float(0.8), Seed: openai.Int(4), N: openai.Int(2), Logprobs: openai.Bool(true), TopLogprobs: openai.Int(3)}
	got, err := w.client.Chat.Completions.New(t.Context(), p)
	require.NoError(t, err)
	require.Len(t, got.Choices, 2)
	require.EqualValues(t, "chat.completion", got.Object)
	require.Equal(t, "fp", got.SystemFingerprint) //nolint:staticcheck // the client calls it deprecated
	ids, err := w.model.Chat([]Message{Say("system", "be brief"), Say("user", "hi there")}, nil, nil)
	require.NoError(t, err)
	require.Equal(t, w.model.Tokenizer.Encode("system be brief.user hi there.assistant ", tokenizer.Options{}), ids)
	require.EqualValues(t, len(ids), got.Usage.PromptTokens)
	for _, c := range got.Choices {
		require.EqualValues(t, "assistant", c.Message.Role)
		text, full := "", append([]int32{}, ids...)
		for _, token := range c.Logprobs.Content {
			id := w.ids(token.Token)[0]
			full = append(full, id)
			if !w.model.Tokenizer.IsSpecial(id) {
				text += token.Token
			}
			require.Equal(t, len(token.Token), len(token.Bytes))
			require.Len(t, token.TopLogprobs, 3)
		}
		require.Equal(t, c.Message.Content, text)
		rows := w.forward(full)
		for i, token := range c.Logprobs.Content {
			require.InDelta(t, rows[len(ids)+i-1][full[len(ids)+i]], token.Logprob, 1e-4)
			require.InDelta(t, maxOf(rows[len(ids)+i-1]), token.TopLogprobs[0].Logprob, 1e-4)
		}
	}
	s := w.client.Chat.Completions.NewStreaming(t.Context(), p)
	acc := openai.ChatCompletionAccumulator{}
	for s.Next() {
		require.True(t, acc.AddChunk(s.Current()))
	}
	require.NoError(t, s.Err())
	for i, c := range got.Choices {
		require.Equal(t, c.Message.Content, acc.Choices[i].Message.Content)
		require.Equal(t, c.FinishReason, acc.Choices[i].FinishReason)
		require.Equal(t, len(c.Logprobs.Content), len(acc.Choices[i].Logprobs.Content))
	}

	p.MaxCompletionTokens = openai.Int(1000)
	_, err = w.client.Chat.Completions.New(t.Context(), p)
	var e *openai.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "max_completion_tokens", e.Param)
	require.Equal(t, "context_length_exceeded", e.Code)
	p.Messages = append(p.Messages, openai.ToolMessage("42", "call"))
	_, err = w.client.Chat.Completions.New(t.Context(), p)
	require.ErrorAs(t, err, &e)
	require.Equal(t, 400, e.StatusCode)
	require.Contains(t, e.Message, "no tool results here")
}

// Tools and variables reach the template.
func TestChatTemplateSeesToolsAndVariables(t *testing.T) {
	w := chatting(t)
	p := openai.ChatCompletionNewParams{Model: "tiny", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("a")}, MaxCompletionTokens: openai.Int(1),
		Tools: []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{Name: "f"})}}
	got, err := w.client.Chat.Completions.New(t.Context(), p, option.WithJSONSet("chat_template_kwargs", map[string]any{"brief": true}))
	require.NoError(t, err)
	require.EqualValues(t, len("user a.1 tools.brief assistant "), got.Usage.PromptTokens)
	p.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{OfAuto: openai.String("none")}
	got, err = w.client.Chat.Completions.New(t.Context(), p)
	require.NoError(t, err)
	require.EqualValues(t, len("user a.assistant "), got.Usage.PromptTokens)
	_, err = w.client.Chat.Completions.New(t.Context(), p, option.WithJSONSet("chat_template_kwargs", map[string]any{"brief": []int{1}}))
	var e *openai.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, "chat_template_kwargs", e.Param)
}

// Without a bound an answer ends where the model or the context does.
func TestChatFillsTheContextAtMost(t *testing.T) {
	w := chatting(t)
	got, err := w.client.Chat.Completions.New(t.Context(), openai.ChatCompletionNewParams{Model: "tiny", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("a")}, Seed: openai.Int(1)})
	require.NoError(t, err)
	require.LessOrEqual(t, got.Usage.TotalTokens, int64(160))
	require.NotEmpty(t, got.Choices[0].FinishReason)
}

// hold keeps the engine busy until release is called.
func (w *world) hold() (release func()) {
	w.Helper()
	running, free := make(chan struct{}), make(chan struct{})
	var once sync.Once
	j, err := w.model.Engine.Submit(w.Context(), []*engine.Sequence{{Prompt: []int32{1, 5}, MaxNew: 1, TopP: 1, Accept: func(engine.Token) bool {
		once.Do(func() { close(running); <-free })
		return true
	}}})
	require.NoError(w, err)
	<-running
	return func() { close(free); <-j.Done() }
}

func TestBusyAnswers429(t *testing.T) {
	w := start(t, tiny(letters()), engine.Options{MaxBatch: 1, MaxWaiting: 1, Context: 100, Chunk: 4}, Options{})
	release := w.hold()
	p := openai.CompletionNewParams{Model: "tiny", Prompt: text("a"), MaxTokens: openai.Int(2)}
	first := make(chan error, 1)
	go func() { _, err := w.client.Completions.New(t.Context(), p); first <- err }()
	w.waiting(1)
	_, err := w.client.Completions.New(t.Context(), p)
	var e *openai.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, http.StatusTooManyRequests, e.StatusCode)
	require.Equal(t, "rate_limit_exceeded", e.Code)
	require.Equal(t, "1", e.Response.Header.Get("Retry-After"))
	release()
	require.NoError(t, <-first, "the one that waited is answered")
}

// waiting waits until n sequences wait.
func (w *world) waiting(n int) {
	w.Helper()
	require.Eventually(w, func() bool { _, have := w.model.Engine.Load(); return have == n }, 10*time.Second, time.Millisecond)
}

func TestCancelledRequestsLeave(t *testing.T) {
	for _, stream := range []bool{false, true} {
		w := start(t, tiny(letters()), options, Options{})
		release := w.hold()
		ctx, cancel := context.WithCancel(t.Context())
		p := openai.CompletionNewParams{Model: "tiny", Prompt: text("a"), MaxTokens: openai.Int(150)}
		ended := make(chan error, 1)
		go func() {
			if !stream {
				_, err := w.client.Completions.New(ctx, p)
				ended <- err
				return
			}
			s := w.client.Completions.NewStreaming(ctx, p)
			for s.Next() {
			}
			ended <- s.Err()
		}()
		w.waiting(1)
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
		release()
		require.Eventually(t, func() bool { running, waiting := w.model.Engine.Load(); return running+waiting == 0 }, 10*time.Second, time.Millisecond)
	}
}

// A server that stops answers what it has begun.
func TestShutdownIsGraceful(t *testing.T) {
	w := start(t, tiny(letters()), options, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- NewServer(w.model, Options{Drain: 20 * time.Second}).Serve(ctx, l) }()
	client := openai.NewClient(option.WithBaseURL("http://"+l.Addr().String()+"/v1"), option.WithMaxRetries(0), option.WithAPIKey("none"))
	p := openai.CompletionNewParams{Model: "tiny", Prompt: text("a"), MaxTokens: openai.Int(20), Temperature: openai.Float(0)}
	release := w.hold()
	answered := make(chan string, 1)
	go func() {
		out, err := client.Completions.New(t.Context(), p)
		if err != nil {
			answered <- err.Error()
			return
		}
		answered <- out.Choices[0].Text
	}()
	w.waiting(1)
	stop()
	release()
	require.Equal(t, w.complete(p).Choices[0].Text, <-answered)
	require.NoError(t, <-served)
	_, err = client.Completions.New(t.Context(), p)
	require.Error(t, err)
}

// What is still being answered when the time to drain is over breaks off with an error in the stream.
func TestDrainEnds(t *testing.T) {
	w := start(t, tiny(letters()), options, Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- NewServer(w.model, Options{Drain: time.Millisecond}).Serve(ctx, l) }()
	release := w.hold()
	client := openai.NewClient(option.WithBaseURL("http://"+l.Addr().String()+"/v1"), option.WithMaxRetries(0), option.WithAPIKey("none"))
	ended := make(chan error, 1)
	go func() {
		_, err := client.Completions.New(t.Context(), openai.CompletionNewParams{Model: "tiny", Prompt: text("a"), MaxTokens: openai.Int(150)})
		ended <- err
	}()
	w.waiting(1)
	stop()
	require.NoError(t, <-served)
	require.Error(t, <-ended)
	release()
}
