package serve

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/require"
)

func TestErrors(t *testing.T) {
	w := start(t, tiny(letters()), options, Options{APIKey: "hush-hush"})
	ask := func(method, path, key, body string) (int, http.Header, map[string]any) {
		r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+key)
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer resp.Body.Close()
		var out struct{ Error map[string]any }
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&out))
		return resp.StatusCode, resp.Header, out.Error
	}
	for _, x := range []struct {
		path, body    string
		status        int
		param, code   any
		messagePrefix string
	}{
		{"completions", `{"model":"tiny","prompt":"a","temperature":3}`, 400, "temperature", nil, "temperature must be between 0 and 2"},
		{"completions", `{"model":"tiny","prompt":"a","top_p":-1}`, 400, "top_p", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","n":0}`, 400, "n", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","n":33}`, 400, "n", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","max_tokens":-1}`, 400, "max_tokens", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","max_tokens":1000}`, 400, "max_tokens", "context_length_exceeded", "the context is 160 tokens"},
		{"completions", `{"model":"tiny","prompt":"` + strings.Repeat("ab ", 90) + `"}`, 400, "prompt", "context_length_exceeded", ""},
		{"completions", `{"model":"tiny"}`, 400, "prompt", nil, "prompt is missing"},
		{"completions", `{"model":"tiny","prompt":[]}`, 400, "prompt", nil, "prompt must be"},
		{"completions", `{"model":"tiny","prompt":[[1],[]]}`, 400, "prompt", nil, "prompt 1 has no tokens"},
		{"completions", `{"model":"tiny","prompt":[1,99999]}`, 400, "prompt", nil, "prompt 0 has token 99999"},
		{"completions", `{"model":"tiny","prompt":"a","logprobs":21}`, 400, "logprobs", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","logprobs":true}`, 400, "logprobs", nil, "logprobs must be an integer, is true or false"},
		{"completions", `{"model":"tiny","prompt":"a","stop":7}`, 400, "stop", nil, "stop must be"},
		{"completions", `{"model":"tiny","prompt":"a","stop":[""]}`, 400, "stop", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","suffix":"z"}`, 400, "suffix", nil, "suffix is not supported"},
		{"completions", `{"model":"tiny","prompt":"a","best_of":3}`, 400, "best_of", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","frequency_penalty":1}`, 400, "frequency_penalty", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","logit_bias":{"3":1}}`, 400, "logit_bias", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","stream_options":{}}`, 400, "stream_options", nil, ""},
		{"completions", `{"model":"tiny","prompt":"a","tempurature":1}`, 400, "tempurature", nil, "unknown field tempurature"},
		{"completions", `{"model":"other","prompt":"a"}`, 404, "model", "model_not_found", `there is no model "other"`},
		{"completions", `{"prompt":"a"}`, 400, "model", nil, "model is missing"},
		{"completions", `not json`, 400, nil, nil, "the request's body is no JSON object"},
		{"chat/completions", `{"model":"tiny","messages":[{"role":"user","content":"hi"}]}`, 400, "messages", "no_chat_template", "the tokenizer has no chat template"},
		{"chat/completions", `{"model":"tiny","messages":[]}`, 400, "messages", nil, ""},
		{"chat/completions", `{"model":"tiny","messages":[{"content":"hi"}]}`, 400, "messages[0].role", nil, ""},
		{"chat/completions", `{"model":"tiny","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, 400, "messages[0].content", nil, ""},
		{"chat/completions", `{"model":"tiny","messages":[{"role":"user","content":"hi"}],"top_logprobs":2}`, 400, "top_logprobs", nil, ""},
		{"chat/completions", `{"model":"tiny","messages":[{"role":"user","content":"hi"}],"response_format":{"type":"json_object"}}`, 400, "response_format", nil, ""},
		{"chat/completions", `{"model":"tiny","messages":[{"role":"user","content":"hi"}],"tool_choice":"required"}`, 400, "tool_choice", nil, ""},
	} {
		t.Run(x.body[:min(70, len(x.body))], func(t *testing.T) {
			status, _, e := ask("POST", "/v1/"+x.path, "hush-hush", x.body)
			require.Equal(t, x.status, status, e)
			require.Equal(t, x.param, e["param"], e)
			require.Equal(t, x.code, e["code"], e)
			require.Equal(t, "invalid_request_error", e["type"])
			require.True(t, strings.HasPrefix(fmt.Sprint(e["message"]), x.messagePrefix), e["message"])
		})
	}
	status, _, e := ask("GET", "/v1/models", "wrong", "")
	require.Equal(t, 401, status)
	require.Equal(t, "invalid_api_key", e["code"])
	require.NotContains(t, fmt.Sprint(e), "hush")
	status, header, _ := ask("GET", "/v1/completions", "hush-hush", "")
	require.Equal(t, 405, status)
	require.Equal(t, "POST", header.Get("Allow"))
	status, _, e = ask("GET", "/v2/what", "hush-hush", "")
	require.Equal(t, 404, status)
	require.Equal(t, "unknown_url", e["code"])
	status, _, e = ask("GET", "/v1/models/other", "hush-hush", "")
	require.Equal(t, 404, status)
	require.Equal(t, "model_not_found", e["code"])
	resp, err := http.Get(w.url + "/healthz")
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, 200, resp.StatusCode, "health needs no key")

	keyed := openai.NewClient(option.WithBaseURL(w.url+"/v1"), option.WithAPIKey("hush-hush"))
	list, err := keyed.Models.List(t.Context())
	require.NoError(t, err)
	require.Equal(t, "tiny", list.Data[0].ID)
	one, err := keyed.Models.Get(t.Context(), "tiny")
	require.NoError(t, err)
	require.Equal(t, "temper", one.OwnedBy)
}
