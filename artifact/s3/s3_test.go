package s3_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/s3"
)

// The conformance suite runs against a real gateway in package devstack, which may
// import one. Here are the answers that a healthy gateway does not give.

func options(endpoint string) s3.Options {
	return s3.Options{Endpoint: endpoint, AccessKey: "key", SecretKey: "very-secret", Bucket: "bucket"}
}

func TestOpenUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := l.Addr().String()
	require.NoError(t, l.Close())

	// A listener that never accepts: connections stay in its queue, unanswered.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer silent.Close()

	for name, endpoint := range map[string]string{"nothing there": closed, "no answer": silent.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			_, err := s3.Open(context.Background(), options(endpoint))
			require.ErrorIs(t, err, artifact.ErrUnreachable)
			require.ErrorContains(t, err, endpoint)
			require.Less(t, time.Since(start), 10*time.Second)
		})
	}
}

func TestOpenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s3.Open(ctx, options("127.0.0.1:1"))
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, artifact.ErrUnreachable)
}

func TestOpenChecksOptions(t *testing.T) {
	for name, change := range map[string]func(*s3.Options){
		"endpoint is not set":  func(o *s3.Options) { o.Endpoint = "" },
		"bucket is not set":    func(o *s3.Options) { o.Bucket = "" },
		"set both or neither":  func(o *s3.Options) { o.SecretKey = "" },
		"nothing more":         func(o *s3.Options) { o.Endpoint = "http://host:1/path" },
		"want http or https":   func(o *s3.Options) { o.Endpoint = "ftp://host:1" },
		"not a URL, nor host:": func(o *s3.Options) { o.Endpoint = "http://user:very-secret@ho st" },
		"Bucket name":          func(o *s3.Options) { o.Bucket = "Not A Bucket" },
	} {
		o := options("127.0.0.1:1")
		change(&o)
		_, err := s3.Open(t.Context(), o)
		require.ErrorContains(t, err, name)
		require.NotContains(t, err.Error(), "very-secret")
	}
}

// answering is a server that says one thing, once Open has looked around.
func answering(t *testing.T, status int, code string) artifact.Backend {
	t.Helper()
	opened := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !opened {
			fmt.Fprint(w, `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`)
			return
		}
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			fmt.Fprintf(w, `<Error><Code>%s</Code><Message>so it is</Message></Error>`, code)
		}
	}))
	t.Cleanup(server.Close)
	b, err := s3.Open(t.Context(), options(server.URL))
	require.NoError(t, err)
	opened = true
	return b
}

func TestAnswers(t *testing.T) {
	all := []error{artifact.ErrNotFound, artifact.ErrPrecondition, artifact.ErrDenied, artifact.ErrUnreachable, artifact.ErrCorrupt}
	for _, tt := range []struct {
		status int
		code   string
		want   error // nil: none of these
	}{
		{404, "NoSuchKey", artifact.ErrNotFound},
		{404, "NoSuchBucket", nil},
		{412, "PreconditionFailed", artifact.ErrPrecondition},
		{403, "AccessDenied", artifact.ErrDenied},
		{403, "SignatureDoesNotMatch", artifact.ErrDenied},
		{400, "ExpiredToken", artifact.ErrDenied},
		{503, "SlowDown", artifact.ErrUnreachable},
		{500, "InternalError", artifact.ErrUnreachable},
		{400, "EntityTooLarge", nil},
		{501, "NotImplemented", nil},
		{409, "ConditionalRequestConflict", nil},
	} {
		t.Run(tt.code, func(t *testing.T) {
			t.Parallel()
			b := answering(t, tt.status, tt.code)
			_, err := b.Put(t.Context(), "the/key", []byte("x"), artifact.Condition{})
			require.ErrorContains(t, err, "the/key")
			require.ErrorContains(t, err, "bucket")
			for _, e := range all {
				require.Equal(t, e == tt.want, errors.Is(err, e), "%v is %v", err, e)
			}
		})
	}
	t.Run("a clock that is wrong", func(t *testing.T) {
		t.Parallel()
		b := answering(t, 403, "RequestTimeTooSkewed")
		_, err := b.Put(t.Context(), "the/key", []byte("x"), artifact.Condition{})
		require.ErrorIs(t, err, artifact.ErrUnreachable)
		require.ErrorContains(t, err, "is wrong")
		_, err = b.Stat(t.Context(), "the/key")
		require.ErrorIs(t, err, artifact.ErrUnreachable, "an answer to HEAD has no words")
	})
	t.Run("head", func(t *testing.T) {
		t.Parallel()
		_, err := answering(t, 404, "").Stat(t.Context(), "the/key")
		require.ErrorIs(t, err, artifact.ErrNotFound)
		_, err = answering(t, 403, "").Stat(t.Context(), "the/key")
		require.ErrorIs(t, err, artifact.ErrDenied)
	})
	t.Run("if match of what is gone", func(t *testing.T) {
		t.Parallel()
		_, err := answering(t, 404, "NoSuchKey").Put(t.Context(), "k", nil, artifact.Condition{IfMatch: "x"})
		require.ErrorIs(t, err, artifact.ErrPrecondition)
	})
	t.Run("list", func(t *testing.T) {
		t.Parallel()
		var got error
		for _, err := range answering(t, 403, "AccessDenied").List(t.Context(), "x") {
			got = err
		}
		require.ErrorIs(t, got, artifact.ErrDenied)
	})
}

func TestOpenDenied(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `<Error><Code>InvalidAccessKeyId</Code><Message>who?</Message></Error>`)
	}))
	defer server.Close()
	_, err := s3.Open(t.Context(), options(server.URL))
	require.ErrorIs(t, err, artifact.ErrDenied)
	require.ErrorContains(t, err, `"key"`)
	require.NotContains(t, err.Error(), "very-secret")
}

// A connection that breaks in the middle of an object is no end of it.
func TestGetBrokenOff(t *testing.T) {
	opened := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !opened {
			fmt.Fprint(w, `<ListBucketResult/>`)
			return
		}
		w.Header().Set("Content-Length", "100")
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		w.Header().Set("ETag", `"x"`)
		fmt.Fprint(w, "half")
	}))
	defer server.Close()
	b, err := s3.Open(t.Context(), options(server.URL))
	require.NoError(t, err)
	opened = true
	r, _, err := b.Get(t.Context(), "the/key")
	require.NoError(t, err)
	defer r.Close()
	_, err = new(bytes.Buffer).ReadFrom(r)
	require.ErrorIs(t, err, artifact.ErrUnreachable)
	require.ErrorContains(t, err, "the/key")
}

func TestSecretsAreNotPrinted(t *testing.T) {
	o := s3.Options{Endpoint: "host:1", AccessKey: "id", SecretKey: "very-secret", SessionToken: "very-secret-too", Bucket: "b"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "options", o, "pointer", &o)
	encoded, err := json.Marshal(map[string]any{"o": o, "p": &o})
	require.NoError(t, err)
	wrapped := struct{ O s3.Options }{o}
	for _, text := range []string{
		fmt.Sprint(o), fmt.Sprintf("%v %+v %#v %s %q %x", o, o, o, o, o, o), fmt.Sprintf("%v %+v %#v", &o, &o, wrapped),
		log.String(), string(encoded), o.String(),
	} {
		require.NotContains(t, text, "very-secret")
		require.NotContains(t, text, "766572792d736563726574")
		require.Contains(t, text, "host:1")
	}
}
