package serve

import (
	"encoding/json"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"

	"temper/device"
	"temper/device/devicetest"
	"temper/lm"
	"temper/lm/hf"
	"temper/lm/tokenizer"
	"temper/serve/engine"
)

var stories = filepath.Join("..", "..", "shared", "data", "model_stories260K_hf")

// tiny is a random checkpoint that writes in tok's tokens.
func tiny(tok *tokenizer.Tokenizer) *hf.Model {
	eos, _ := tok.EOS()
	c := hf.Config{Architecture: hf.Qwen3, ModelType: "qwen3", QKNorm: true, VocabSize: tok.VocabSize(), Hidden: 32, Layers: 2, Heads: 4, KVHeads: 2, HeadDim: 16, FFN: 48,
		NormEps: 1e-6, RopeTheta: 10000, MaxPositions: 160, TieEmbeddings: true, BOS: 1, PAD: 0, EOS: []int{int(eos)}, InitializerRange: 0.3, Dtype: "float32"}
	return &hf.Model{Config: c, Tensors: lm.Init(c, 4), TokenizerFiles: tok.Files()}
}

// options let requests meet in batches of up to four.
var options = engine.Options{MaxBatch: 4, MaxWaiting: 32, Context: 4096, Chunk: 4}

// world is a server with a client.
type world struct {
	*testing.T
	model  *Model
	files  *hf.Model
	url    string
	client openai.Client
}

func start(t *testing.T, files *hf.Model, o engine.Options, s Options) *world {
	t.Helper()
	m, err := New(devicetest.Client(t), files, "tiny", o)
	require.NoError(t, err)
	server := httptest.NewServer(NewServer(m, s).Handler())
	t.Cleanup(func() { server.Close(); m.Close() })
	return &world{t, m, files, server.URL, openai.NewClient(option.WithBaseURL(server.URL+"/v1"), option.WithAPIKey("none"), option.WithMaxRetries(0))}
}

// letters is a tokenizer whose texts are never broken.
func letters() *tokenizer.Tokenizer { return tokenizer.Chars("abcdefghijklmnopqrstuvwxyz éλ.") }

// models runs a test on the tiny checkpoint and, where it is, on a real one.
func models(t *testing.T, f func(w *world, about string)) {
	t.Run("tiny", func(t *testing.T) { f(start(t, tiny(letters()), options, Options{}), "the cat sat") })
	t.Run("stories", func(t *testing.T) {
		files, err := hf.Load(stories)
		if os.IsNotExist(err) {
			t.Skip("the real checkpoint is not on this machine")
		}
		require.NoError(t, err)
		f(start(t, files, options, Options{}), "Once upon a time")
	})
}

func (w *world) complete(p openai.CompletionNewParams, more ...option.RequestOption) *openai.Completion {
	w.Helper()
	p.Model = "tiny"
	out, err := w.client.Completions.New(w.Context(), p, more...)
	require.NoError(w, err)
	return out
}

// streamed is complete with stream: true, put together.
func (w *world) streamed(p openai.CompletionNewParams) (texts []string, finish []string, parts int, usage openai.CompletionUsage) {
	w.Helper()
	p.Model = "tiny"
	p.StreamOptions.IncludeUsage = openai.Bool(true)
	n := max(1, int(p.N.Value))
	texts, finish = make([]string, n), make([]string, n)
	s := w.client.Completions.NewStreaming(w.Context(), p)
	for s.Next() {
		c := s.Current()
		if len(c.Choices) == 0 {
			usage = c.Usage
			continue
		}
		parts++
		require.Len(w, c.Choices, 1)
		require.NotContains(w, c.Choices[0].Text, "\uFFFD")
		texts[c.Choices[0].Index] += c.Choices[0].Text
		if f := string(c.Choices[0].FinishReason); f != "" {
			finish[c.Choices[0].Index] = f
		}
	}
	require.NoError(w, s.Err())
	return texts, finish, parts, usage
}

func text(s string) openai.CompletionNewParamsPromptUnion {
	return openai.CompletionNewParamsPromptUnion{OfString: openai.String(s)}
}

// forward gives log softmax of a forward pass for each token's successor.
func (w *world) forward(ids []int32) [][]float64 {
	w.Helper()
	c, config := devicetest.Client(w), w.files.Config
	params, err := lm.Upload(c, w.files)
	require.NoError(w, err)
	defer device.FreeAll(params...)
	n, row := len(params), device.Int32(1, len(ids))
	p, err := c.Compile("forward", append(lm.Shapes(config), row, row, row), nil, func(in []*graph.Node) []*graph.Node {
		b := lm.Bind(config, in[:n])
		return []*graph.Node{lm.Logits(b, lm.Hidden(config, b, in[n], in[n+1], in[n+2], false))}
	})
	require.NoError(w, err)
	defer p.Close()
	in := append([]*device.Buffer{}, params...)
	positions, segments := make([]int32, len(ids)), make([]int32, len(ids))
	for i := range ids {
		positions[i] = int32(i)
	}
	for _, x := range [][]int32{ids, positions, segments} {
		b, err := device.Upload(c, x, 1, len(ids))
		require.NoError(w, err)
		in = append(in, b)
	}
	out, err := p.Run(in...)
	require.NoError(w, err)
	flat, err := device.Download[float32](out[0])
	require.NoError(w, err)
	var rows [][]float64
	for i := range ids {
		rows = append(rows, logSoftmax(flat[i*config.VocabSize:(i+1)*config.VocabSize]))
	}
	return rows
}

func logSoftmax(x []float32) []float64 {
	top, sum := math.Inf(-1), 0.0
	for _, v := range x {
		top = max(top, float64(v))
	}
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v) - top - math.Log(sum)
	}
	return out
}

func TestCompletionsStreamedAndWhole(t *testing.T) {
	models(t, func(w *world, about string) {
		p := openai.CompletionNewParams{Prompt: text(about), MaxTokens: openai.Int(40), Temperature: openai.Float(0.9), Seed: openai.Int(5), N: openai.Int(3)}
		got := w.complete(p)
		require.Len(w, got.Choices, 3)
		require.Equal(w, got.Choices, w.complete(p).Choices, "the same seed")
		require.NotEqual(w, got.Choices[0].Text, got.Choices[1].Text)
		require.EqualValues(w, len(w.model.Encode(about)), got.Usage.PromptTokens)
		require.Equal(w, got.Usage.TotalTokens, got.Usage.PromptTokens+got.Usage.CompletionTokens)
		texts, finish, parts, usage := w.streamed(p)
		for i, c := range got.Choices {
			require.EqualValues(w, i, c.Index)
			require.Equal(w, c.Text, texts[i])
			require.Equal(w, string(c.FinishReason), finish[i])
		}
		require.Equal(w, got.Usage.CompletionTokens, usage.CompletionTokens)
		require.Greater(w, parts, 10, "the text comes in parts")

		p.Seed = openai.Int(6)
		require.NotEqual(w, got.Choices[0].Text, w.complete(p).Choices[0].Text, "another seed")
	})
}

// The four forms of a prompt say the same.
func TestPromptForms(t *testing.T) {
	w := start(t, tiny(letters()), options, Options{})
	var ids, other []int64
	for _, id := range w.model.Encode("abc") {
		ids = append(ids, int64(id))
	}
	for _, id := range w.model.Encode("xyz é") {
		other = append(other, int64(id))
	}
	p := openai.CompletionNewParams{MaxTokens: openai.Int(12), Temperature: openai.Float(0), Echo: openai.Bool(true)}
	ask := func(u openai.CompletionNewParamsPromptUnion) []string {
		p.Prompt = u
		var texts []string
		for _, c := range w.complete(p).Choices {
			texts = append(texts, c.Text)
		}
		return texts
	}
	first, second := ask(text("abc")), ask(text("xyz é"))
	require.True(t, strings.HasPrefix(first[0], "abc"))
	both := []string{first[0], second[0]}
	require.Equal(t, both, ask(openai.CompletionNewParamsPromptUnion{OfArrayOfStrings: []string{"abc", "xyz é"}}))
	require.Equal(t, first, ask(openai.CompletionNewParamsPromptUnion{OfArrayOfTokens: ids}))
	require.Equal(t, both, ask(openai.CompletionNewParamsPromptUnion{OfArrayOfTokenArrays: [][]int64{ids, other}}))
	require.Len(t, ask(text("")), 1, "an empty prompt begins with the beginning")
}

// Whatever a stop string is, the answer is the text before it, whole and streamed.
func TestStopStrings(t *testing.T) {
	models(t, func(w *world, about string) {
		p := openai.CompletionNewParams{Prompt: text(about), MaxTokens: openai.Int(48), Temperature: openai.Float(1)}
		var full []rune
		for seed := int64(11); len(full) < 20; seed++ {
			p.Seed = openai.Int(seed)
			full = []rune(w.complete(p).Choices[0].Text)
		}
		for _, at := range [][2]int{{0, 1}, {5, 6}, {7, 12}, {len(full) - 3, len(full)}} {
			stop := string(full[at[0]:at[1]])
			p.Stop = openai.CompletionNewParamsStopUnion{OfStringArray: []string{"never seen", stop + "?!", stop}}
			want, _, _ := strings.Cut(string(full), stop)
			got := w.complete(p)
			require.Equal(w, want, got.Choices[0].Text, "stop %q", stop)
			require.EqualValues(w, "stop", got.Choices[0].FinishReason)
			texts, finish, _, _ := w.streamed(p)
			require.Equal(w, []string{want}, texts)
			require.Equal(w, []string{"stop"}, finish)
		}
		p.Stop = openai.CompletionNewParamsStopUnion{OfString: openai.String("never seen")}
		require.Equal(w, string(full), w.complete(p).Choices[0].Text)
	})
}

// Log-probabilities of an echoed prompt and of its continuation are those of a forward pass over both.
func TestLogProbsAgreeWithForwardPass(t *testing.T) {
	models(t, func(w *world, about string) {
		for _, maxTokens := range []int64{0, 1, 9} {
			got := w.complete(openai.CompletionNewParams{Prompt: text(about), MaxTokens: openai.Int(maxTokens), Temperature: openai.Float(0.7), Seed: openai.Int(3),
				Echo: openai.Bool(true), Logprobs: openai.Int(4)}).Choices[0]
			require.True(w, strings.HasPrefix(got.Text, about))
			ids := w.model.Encode(about)
			prompts := len(ids)
			require.Len(w, got.Logprobs.Tokens, prompts+int(maxTokens))
			for _, name := range got.Logprobs.Tokens[prompts:] {
				named := w.ids(name)
				ids = append(ids, named[len(named)-1]) // a byte's token comes before another of the same spelling
			}
			var raw struct {
				LogProbs []*float64           `json:"token_logprobs"`
				Top      []map[string]float64 `json:"top_logprobs"`
				Offsets  []int                `json:"text_offset"`
			}
			require.NoError(w, json.Unmarshal([]byte(got.Logprobs.RawJSON()), &raw))
			require.Nil(w, raw.LogProbs[0])
			require.Nil(w, raw.Top[0])
			rows := w.forward(ids)
			for i := 1; i < len(ids); i++ {
				require.InDelta(w, rows[i-1][ids[i]], *raw.LogProbs[i], 1e-4, "token %d", i)
				best := math.Inf(-1)
				for name, lp := range raw.Top[i] {
					best = max(best, lp)
					near := math.Inf(1)
					for _, id := range w.ids(name) {
						near = min(near, math.Abs(rows[i-1][id]-lp))
					}
					require.Less(w, near, 1e-4, "alternative %q to token %d", name, i)
				}
				require.GreaterOrEqual(w, len(raw.Top[i]), 4)
				require.LessOrEqual(w, len(raw.Top[i]), 5)
				require.InDelta(w, maxOf(rows[i-1]), best, 1e-4)
				require.Equal(w, *raw.LogProbs[i], raw.Top[i][got.Logprobs.Tokens[i]], "one token, one number")
			}
			characters := []rune(got.Text)
			for i, at := range raw.Offsets {
				piece := []rune(got.Logprobs.Tokens[i])
				if !w.model.Tokenizer.IsSpecial(ids[i]) && i > 1 {
					require.Equal(w, string(piece), string(characters[at:at+len(piece)]), "offset of token %d", i)
				}
			}
		}
	})
}

func maxOf(x []float64) float64 {
	best := math.Inf(-1)
	for _, v := range x {
		best = max(best, v)
	}
	return best
}

// ids are the tokens of a name in an answer.
func (w *world) ids(name string) (ids []int32) {
	w.Helper()
	for id := range int32(w.model.Tokenizer.VocabSize()) {
		if w.model.tokenName(id) == name {
			ids = append(ids, id)
		}
	}
	require.NotEmpty(w, ids, "no token %q", name)
	return ids
}

// Requests that run together answer as those that run alone.
func TestConcurrentRequestsAnswerAsAlone(t *testing.T) {
	models(t, func(w *world, about string) {
		ask := func(i int) string {
			p := openai.CompletionNewParams{Prompt: text(about[:len(about)-i%5]), MaxTokens: openai.Int(int64(6 + 5*i)), Model: "tiny"}
			p.Temperature = openai.Float(0)
			if i%3 == 0 {
				p.Temperature, p.Seed, p.TopP = openai.Float(1), openai.Int(int64(i)), openai.Float(0.9)
			}
			out, err := w.client.Completions.New(w.Context(), p)
			if err != nil {
				return err.Error()
			}
			return out.Choices[0].Text
		}
		const n = 10
		var alone, together [n]string
		for i := range n {
			alone[i] = ask(i)
		}
		done := make(chan struct{})
		for i := range n {
			go func() { together[i] = ask(i); done <- struct{}{} }()
		}
		for range n {
			<-done
		}
		require.Equal(w, alone, together)
	})
}

// Text of a byte tokenizer streams in whole characters, and broken bytes are U+FFFD in both answers.
func TestStreamNeverSplitsACharacter(t *testing.T) {
	files := tiny(tokenizer.Bytes())
	embed := files.Tensors["model.embed_tokens.weight"]
	w := start(t, files, options, Options{})
	for seed := range int64(4) {
		p := openai.CompletionNewParams{Prompt: text("héλ"), MaxTokens: openai.Int(60), Seed: openai.Int(seed)}
		want := w.complete(p).Choices[0].Text
		p.Model = "tiny"
		s, got := w.client.Completions.NewStreaming(t.Context(), p), ""
		for s.Next() {
			got += s.Current().Choices[0].Text
		}
		require.NoError(t, s.Err())
		require.Equal(t, want, got)
	}
	require.NotEmpty(t, embed.Data)
}
