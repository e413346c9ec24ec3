package reward

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// chatServer answers chat requests with what reply says of the last message; nothing for an error 503.
type chatServer struct {
	*httptest.Server
	asked atomic.Int32
	mu    sync.Mutex
	heads []http.Header
	last  map[string]any
}

func newChatServer(t *testing.T, reply func(n int, question string) string) *chatServer {
	t.Helper()
	s := &chatServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(s.asked.Add(1))
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/v1/chat/completions" {
			http.Error(w, "what?", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.heads, s.last = append(s.heads, r.Header), body
		s.mu.Unlock()
		messages := body["messages"].([]any)
		text := reply(n, messages[len(messages)-1].(map[string]any)["content"].(string))
		if text == "" {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]string{"role": "assistant", "content": text}}}})
	}))
	t.Cleanup(s.Close)
	return s
}

func judging(t *testing.T, o JudgeOptions) *Scorer {
	t.Helper()
	s := scorer(t, []PartSpec{{Kind: "judge", Weight: 1, Options: &o}})
	s.parts[0].remote.pause = time.Millisecond
	return s
}

func TestJudge(t *testing.T) {
	t.Setenv("JUDGE_TOKEN", "sesame")
	server := newChatServer(t, func(_ int, question string) string {
		switch {
		case strings.Contains(question, "splendid"):
			return "Score: 3? No.\n**Score:** 10"
		case strings.Contains(question, "odd"):
			return "I would rather not say."
		case strings.Contains(question, "eleven"):
			return "Score: 11"
		}
		return "score: 2.5"
	})
	o := JudgeOptions{EndpointOptions: EndpointOptions{URL: server.URL + "/v1", Model: "m", TokenEnv: "JUDGE_TOKEN"}, System: "Be fair."}
	s := judging(t, o)
	samples := []Sample{{Prompt: "p", Response: "splendid"}, {Prompt: "p", Response: "bad"}, {Prompt: "p", Response: "odd"}, {Prompt: "p", Response: "eleven"}, {Prompt: "p", Response: "bad"}}
	scores, err := s.ScoreAll(t.Context(), samples, 2)
	require.NoError(t, err)
	require.InDelta(t, 1, scores[0].Reward, 1e-12)
	require.InDelta(t, 0.25, scores[1].Reward, 1e-12)
	require.Equal(t, []Verdict{Ungraded, Ungraded, Error, Error, Ungraded}, []Verdict{scores[0].Verdict, scores[1].Verdict, scores[2].Verdict, scores[3].Verdict, scores[4].Verdict})
	require.Contains(t, scores[2].Detail, "part judge: it gave no value")
	require.EqualValues(t, 4, server.asked.Load(), "equal requests are made once")
	require.Equal(t, "Bearer sesame", server.heads[0].Get("Authorization"))
	require.Equal(t, "m", server.last["model"])
	require.EqualValues(t, 1024, server.last["max_tokens"])
	require.Len(t, server.last["messages"], 2)

	again := judging(t, o) // a scorer of the next round
	_, err = again.ScoreAll(t.Context(), samples, 2)
	require.NoError(t, err)
	require.EqualValues(t, 4, server.asked.Load(), "replies are kept")
	body, err := json.Marshal(PartSpec{Kind: "judge", Weight: 1, Options: &o})
	require.NoError(t, err)
	require.NotContains(t, string(body), "sesame")
	require.Contains(t, string(body), `"token_env":"JUDGE_TOKEN","url":`)
}

func TestJudgeReadsScores(t *testing.T) {
	for _, c := range []struct {
		o     JudgeOptions
		reply string
		want  float64
		ok    bool
	}{
		{JudgeOptions{}, "Score: 7", 0.7, true}, {JudgeOptions{}, "SCORE = 7", 0, false}, {JudgeOptions{}, "Score: -1", 0, false}, {JudgeOptions{}, "", 0, false},
		{JudgeOptions{Pattern: `\[\[(.+?)\]\]`, Low: 1, High: 5}, "so [[2]], no [[ 4 ]]", 0.75, true}, {JudgeOptions{Pattern: `\[\[(.+?)\]\]`}, "[[many]]", 0, false},
		{JudgeOptions{Pattern: `\[\[(.+?)\]\]`}, "[[NaN]]", 0, false},
		{JudgeOptions{Field: "a.1.b", High: 1}, "```json\n{\"x\": 1} {\"a\": [0, {\"b\": 0.25}]}\n```", 0.25, true}, {JudgeOptions{Field: "a.2"}, `{"a": [1]}`, 0, false},
		{JudgeOptions{Field: "a"}, `{"a": "5"}`, 0, false}, {JudgeOptions{Field: "a"}, `none {`, 0, false},
	} {
		got, ok := c.o.reader()(c.reply)
		require.Equal(t, c.ok, ok, "%+v %s", c.o, c.reply)
		require.InDelta(t, c.want, got, 1e-12, c.reply)
	}
	start := time.Now()
	lastObject(strings.Repeat(`{"a":`, 1<<18))
	require.Less(t, time.Since(start), 30*time.Second)
}

func TestAJudgeThatFailsIsUnavailable(t *testing.T) {
	server := newChatServer(t, func(n int, question string) string {
		if strings.Contains(question, "never") || n < 3 {
			return ""
		}
		return "Score: 5"
	})
	s := judging(t, JudgeOptions{EndpointOptions: EndpointOptions{URL: server.URL + "/v1/", Model: "m"}})
	scores, err := s.ScoreAll(t.Context(), []Sample{{Response: "twice in vain"}}, 1)
	require.NoError(t, err)
	require.InDelta(t, 0.5, scores[0].Reward, 1e-12)
	scores, err = s.ScoreAll(t.Context(), []Sample{{Response: "fine"}, {Response: "never"}}, 1)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "503 Service Unavailable: busy")
	require.Nil(t, scores)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.ScoreAll(ctx, []Sample{{Response: "new"}}, 1)
	require.ErrorIs(t, err, context.Canceled)
}

func TestJudgeKeepsRepliesInAFolder(t *testing.T) {
	server := newChatServer(t, func(int, string) string { return "Score: 4" })
	dir := filepath.Join(t.TempDir(), "cache")
	o := JudgeOptions{EndpointOptions: EndpointOptions{URL: server.URL + "/v1", Model: "m", Cache: dir}}
	for range 2 {
		require.InDelta(t, 0.4, judging(t, o).Score(t.Context(), Sample{Response: "kept"}).Reward, 1e-12)
		kept.mu.Lock()
		kept.text = map[string]string{} // as in another process
		kept.mu.Unlock()
	}
	require.EqualValues(t, 1, server.asked.Load())
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1)
	o.Cache = filepath.Join(dir, files[0].Name()) // no folder
	_, err = judging(t, o).ScoreAll(t.Context(), []Sample{{Response: "other"}}, 1)
	require.ErrorContains(t, err, "cache:")
	require.NotErrorIs(t, err, ErrUnavailable)
}

func TestJudgeKeepsItsRate(t *testing.T) {
	server := newChatServer(t, func(int, string) string { return "Score: 4" })
	s := judging(t, JudgeOptions{EndpointOptions: EndpointOptions{URL: server.URL + "/v1", Model: "m", PerSecond: 20}})
	var samples []Sample
	for i := range 30 { // 20 at once, the others 50 ms apart
		samples = append(samples, Sample{Response: fmt.Sprint(i)})
	}
	start := time.Now()
	_, err := s.ScoreAll(t.Context(), samples, 1)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(start), 400*time.Millisecond)
	require.EqualValues(t, 30, server.asked.Load())
}

func TestJudgeIsChecked(t *testing.T) {
	at := EndpointOptions{URL: "http://host/v1", Model: "m"}
	for says, o := range map[string]JudgeOptions{
		"judge: url: must be given":                     {},
		"judge: model: must be given":                   {EndpointOptions: EndpointOptions{URL: "http://host"}},
		"judge: template: template: judge":              {EndpointOptions: at, Template: "{{.Nothing}}"},
		"judge: pattern: must have one group, has 0":    {EndpointOptions: at, Pattern: "a"},
		"judge: pattern: error parsing":                 {EndpointOptions: at, Pattern: "("},
		"judge: field: goes without pattern":            {EndpointOptions: at, Pattern: "(a)", Field: "b"},
		"judge: high: must be above low":                {EndpointOptions: at, Low: 3, High: 2},
		"judge: token_env: must be the name":            {EndpointOptions: EndpointOptions{URL: "http://host", Model: "m", TokenEnv: "a=b"}},
		"judge: per_second: must be finite":             {EndpointOptions: EndpointOptions{URL: "http://host", Model: "m", PerSecond: -1}},
		"judge: temperature: must be finite":            {EndpointOptions: at, Temperature: -1},
		"judge: url: must not hold a password":          {EndpointOptions: EndpointOptions{URL: "http://me:secret@host", Model: "m"}},
		"judge: token_env: the environment has no NONE": {EndpointOptions: EndpointOptions{URL: "http://host", Model: "m", TokenEnv: "NONE"}},
	} {
		_, err := New([]PartSpec{{Kind: "judge", Weight: 1, Options: &o}})
		require.ErrorContains(t, err, says)
	}
}

func TestRewardModel(t *testing.T) {
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body struct{ Prompt, Response, Model string }
		_ = json.NewDecoder(r.Body).Decode(&body)
		if asked.Add(1) == 1 {
			fmt.Fprint(w, `{"data": []}`)
			return
		}
		fmt.Fprintf(w, `{"data": [{"data": [%d.5]}], "seen": %q}`, len(body.Response), body.Prompt+body.Model)
	}))
	t.Cleanup(server.Close)
	build := func(o RewardModelOptions) *Scorer {
		o.URL = server.URL + "/pooling"
		s := scorer(t, []PartSpec{{Kind: "reward_model", Weight: 2, Options: &o}})
		s.parts[0].remote.pause = time.Millisecond
		return s
	}
	o := RewardModelOptions{EndpointOptions: EndpointOptions{Model: "rm"}, Field: "data.0.data.0"}
	require.InDelta(t, 7, build(o).Score(t.Context(), Sample{Prompt: "p", Response: "abc"}).Reward, 1e-12)
	require.EqualValues(t, 2, asked.Load(), "an answer without the number is asked for again")
	o.Sigmoid = true
	require.InDelta(t, 2*0.9706877692486436, build(o).Score(t.Context(), Sample{Prompt: "p", Response: "abc"}).Reward, 1e-12)
	require.EqualValues(t, 2, asked.Load())
	_, err := build(RewardModelOptions{}).ScoreAll(t.Context(), []Sample{{Response: "q"}}, 1)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "no number at score")
}
