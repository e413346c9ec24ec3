package reward

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/time/rate"

	"temper/filecache"
)

// EndpointOptions are the options of a part that asks a model behind HTTP about each sample.
type EndpointOptions struct {
	URL            string  `option:"url" about:"address of the endpoint"`
	Model          string  `option:"model" about:"name of the model there"`
	TokenEnv       string  `option:"token_env" about:"environment variable of the worker that holds the token for the header Authorization: Bearer; no token stands in settings"`
	Cache          string  `option:"cache" about:"folder that keeps answers by the hash of their requests, up to 64 MiB; without it they are kept in memory alone"`
	PerSecond      float64 `option:"per_second" about:"requests a second to this address from a process, without a limit by default"`
	Parallel       int     `option:"parallel" about:"requests under way at a time, 8 by default"`
	TimeoutSeconds float64 `option:"timeout_seconds" about:"for a request, 60 by default"`
}

func (o *EndpointOptions) check(bad report) {
	checkURL(bad, o.URL)
	notNegative(bad, "per_second", o.PerSecond)
	atLeastOne(bad, "parallel", o.Parallel)
	notNegative(bad, "timeout_seconds", o.TimeoutSeconds)
	if strings.ContainsAny(o.TokenEnv, "= \t\n\x00") {
		bad("token_env", "must be the name of an environment variable")
	}
}

// endpoint asks one question for each sample and keeps the answers.
type endpoint struct {
	*remote
	folder   *filecache.Folder
	parallel int
	request  func(x Sample) ([]byte, error)     // the body to post
	reply    func(body []byte) (string, error)  // what of an answer is kept; an error asks again
	score    func(reply string) (float64, bool) // false where the reply has no score
}

// endpointFolder bounds the answers that are kept in a folder, in bytes.
const endpointFolder = 64 << 20

func newEndpoint(o EndpointOptions, path string) (*endpoint, error) {
	url := o.URL
	if !strings.HasSuffix(url, path) {
		url = strings.TrimSuffix(url, "/") + path
	}
	e := &endpoint{remote: newRemote(url, o.TimeoutSeconds), parallel: or(o.Parallel, 8)}
	if o.TokenEnv != "" {
		if e.token = os.Getenv(o.TokenEnv); e.token == "" {
			return nil, fmt.Errorf("token_env: the environment has no %s", o.TokenEnv)
		}
	}
	if o.PerSecond > 0 {
		e.limit = limiters.of(url, o.PerSecond)
	}
	if o.Cache != "" {
		e.folder = &filecache.Folder{Dir: o.Cache, Limit: endpointFolder}
	}
	return e, nil
}

// judge gives each sample's score, nil where the reply has none. Equal requests are made once.
func (e *endpoint) judge(ctx context.Context, samples []Sample) ([]judged, error) {
	keys := make([]string, len(samples))
	bodies := map[string][]byte{}
	for i, x := range samples {
		body, err := e.request(x)
		if err != nil {
			return nil, err
		}
		keys[i] = requestKey(e.url, body)
		bodies[keys[i]] = body
	}
	replies, err := e.askAll(ctx, bodies)
	if err != nil {
		return nil, err
	}
	out := make([]judged, len(samples))
	for i, key := range keys {
		if value, ok := e.score(replies[key]); ok && finite(value) {
			out[i] = &value
		}
	}
	return out, nil
}

func requestKey(url string, body []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s\n", len(url), url)
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

func (e *endpoint) askAll(ctx context.Context, bodies map[string][]byte) (map[string]string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	out := make(map[string]string, len(bodies))
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, e.parallel)
	for _, key := range names(bodies) {
		if ctx.Err() != nil {
			break
		}
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			reply, err := e.answer(ctx, key, bodies[key])
			if err != nil {
				cancel(err) // the first one stays
				return
			}
			mu.Lock()
			out[key] = reply
			mu.Unlock()
		})
	}
	wg.Wait()
	return out, context.Cause(ctx)
}

// answer is the kept reply to a request, or a new one.
func (e *endpoint) answer(ctx context.Context, key string, body []byte) (string, error) {
	if reply, ok := kept.get(key); ok {
		return reply, nil
	}
	if reply, ok := e.fromFolder(key); ok {
		kept.put(key, reply)
		return reply, nil
	}
	var reply string
	err := e.ask(ctx, body, func(answer []byte) (err error) {
		reply, err = e.reply(answer)
		return err
	})
	if err != nil {
		return "", err
	}
	kept.put(key, reply)
	return reply, e.toFolder(key, reply)
}

func (e *endpoint) fromFolder(key string) (string, bool) {
	if e.folder == nil {
		return "", false
	}
	text, err := os.ReadFile(e.folder.Path(key))
	if err != nil {
		return "", false
	}
	e.folder.Use(key)
	return string(text), true
}

func (e *endpoint) toFolder(key, reply string) error {
	if e.folder == nil {
		return nil
	}
	f, err := e.folder.New()
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	defer f.Drop()
	if _, err := f.WriteString(reply); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	if err := f.Keep(key); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	return nil
}

// kept are replies of this process by the hash of their requests: scorers come and go with the rounds.
var kept = &replies{text: map[string]string{}}

type replies struct {
	mu    sync.Mutex
	bytes int
	text  map[string]string
}

// keptBytes bounds the kept replies; when they reach it, all go.
const keptBytes = 64 << 20

func (r *replies) get(key string) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	text, ok := r.text[key]
	return text, ok
}

func (r *replies) put(key, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes += len(key) + len(text); r.bytes > keptBytes {
		r.text, r.bytes = map[string]string{}, len(key)+len(text)
	}
	r.text[key] = text
}

// limiters are the token buckets of this process by address.
var limiters = &buckets{limits: map[string]*rate.Limiter{}}

type buckets struct {
	mu     sync.Mutex
	limits map[string]*rate.Limiter
}

func (b *buckets) of(url string, perSecond float64) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limits[url] == nil {
		b.limits[url] = rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond)))
	}
	b.limits[url].SetLimit(rate.Limit(perSecond))
	b.limits[url].SetBurst(max(1, int(perSecond)))
	return b.limits[url]
}

// numberAt is the number at a dotted path in JSON: names of objects, places in lists from 0.
func numberAt(text []byte, path string) (float64, bool) {
	var v any
	if json.Unmarshal(text, &v) != nil {
		return 0, false
	}
	for _, step := range strings.Split(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(in) {
				return 0, false
			}
			v = in[i]
		default:
			return 0, false
		}
	}
	n, ok := v.(float64)
	return n, ok
}
