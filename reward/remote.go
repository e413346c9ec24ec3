package reward

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// ErrUnavailable says that something outside which judges did not do so: nothing is known of any sample. It may be back later.
var ErrUnavailable = errors.New("the judge is not available")

const (
	// remoteTries is how often a request is made, and remoteTimeout how long one may take.
	remoteTries   = 3
	remoteTimeout = 60 * time.Second
	// remoteAnswer bounds an answer in bytes.
	remoteAnswer = 16 << 20
	// remotePatience bounds the pause that an answer may ask for with Retry-After.
	remotePatience = 5 * time.Minute
)

// remote is an address that JSON is posted to.
type remote struct {
	url    string
	client *http.Client
	pause  time.Duration // before the second try; then twice as long
	token  string        // for the header Authorization; never in an error
	limit  *rate.Limiter // of requests, nil without one
}

func newRemote(url string, timeoutSeconds float64) *remote {
	timeout := or(time.Duration(timeoutSeconds*float64(time.Second)), remoteTimeout)
	return &remote{url: url, client: &http.Client{Timeout: timeout}, pause: 500 * time.Millisecond}
}

// checkURL refuses what cannot be asked.
func checkURL(bad report, text string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		bad("url", "must be given")
	case err != nil:
		bad("url", "%v", err)
	case (u.Scheme != "http" && u.Scheme != "https") || u.Host == "":
		bad("url", "%q is no http or https address", text)
	case u.User != nil:
		bad("url", "must not hold a password; pipelines are kept in histories")
	}
}

// ask posts a body until an answer can be read, a few times; then it is ErrUnavailable.
func (r *remote) ask(ctx context.Context, body []byte, read func(answer []byte) error) error {
	pause := r.pause
	for try := 1; ; try++ {
		if r.limit != nil {
			if err := r.limit.Wait(ctx); err != nil {
				return err
			}
		}
		answer, err := r.post(ctx, body)
		if err == nil {
			err = read(answer)
		}
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case try == remoteTries:
			return fmt.Errorf("%w: %s, asked %d times: %w", ErrUnavailable, r.url, try, err)
		}
		wait := pause + rand.N(pause)
		var busy *busyError
		if errors.As(err, &busy) {
			wait = max(wait, busy.pause)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		pause *= 2
	}
}

func (r *remote) post(ctx context.Context, body []byte) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	q.Header.Set("Content-Type", "application/json")
	if r.token != "" {
		q.Header.Set("Authorization", "Bearer "+r.token)
	}
	answer, err := r.client.Do(q)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, remoteAnswer))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		err := fmt.Errorf("answers %s: %s", answer.Status, clip(string(text)))
		if pause := retryAfter(answer.Header.Get("Retry-After")); pause > 0 {
			return nil, &busyError{err, pause}
		}
		return nil, err
	}
	return text, nil
}

// busyError is an answer that asks for a pause.
type busyError struct {
	error
	pause time.Duration
}

func (e *busyError) Unwrap() error { return e.error }

// retryAfter is the pause that a Retry-After header asks for (RFC 9110, section 10.2.3), in seconds or until a time, within remotePatience; 0: none.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(0, seconds), int(remotePatience/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(0, time.Until(at)), remotePatience)
	}
	return 0
}
