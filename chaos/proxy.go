package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// proxy stands before an S3 server and, while it is told to, spoils requests in every way that a network and a busy server do.
type proxy struct {
	address string
	server  *http.Server

	mu    sync.Mutex
	rand  *rand.Rand
	share float64       // of requests that are spoilt
	delay time.Duration // of each request at most

	spoilt atomic.Int64
}

// newProxy listens on the address and passes requests on to the store at target, under the host name that they were signed for.
func newProxy(address, target string, seed uint64) (*proxy, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	p := &proxy{address: address, rand: rand.New(rand.NewPCG(seed, 1))}
	to := &url.URL{Scheme: "http", Host: target}
	quiet := log.New(io.Discard, "", 0)
	forward := &httputil.ReverseProxy{ErrorLog: quiet, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}
	p.server = &http.Server{ErrorLog: quiet, ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		spoil, delay := p.draw()
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
		spoil(w, r, forward)
	})}
	go p.server.Serve(l) //nolint:errcheck // it ends with Close
	return p, nil
}

func (p *proxy) close() { _ = p.server.Close() }

// set chooses how much is spoilt from now on; zeros: nothing.
func (p *proxy) set(share float64, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.share, p.delay = share, delay
}

// spoiling answers a request in its own way.
type spoiling func(w http.ResponseWriter, r *http.Request, forward http.Handler)

// ways are what can go wrong with a request.
var ways = []spoiling{
	status(http.StatusServiceUnavailable, "SlowDown"),
	status(http.StatusInternalServerError, "InternalError"),
	func(http.ResponseWriter, *http.Request, http.Handler) { panic(http.ErrAbortHandler) }, // hangs up before
	// Does what is asked and hangs up before answering.
	func(_ http.ResponseWriter, r *http.Request, forward http.Handler) {
		forward.ServeHTTP(&void{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	},
	// Hangs up in the middle of the answer.
	func(w http.ResponseWriter, r *http.Request, forward http.Handler) {
		forward.ServeHTTP(&cut{ResponseWriter: w, left: 700}, r)
	},
}

func pass(w http.ResponseWriter, r *http.Request, forward http.Handler) { forward.ServeHTTP(w, r) }

func (p *proxy) draw() (spoiling, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var delay time.Duration
	if p.delay > 0 {
		delay = time.Duration(p.rand.Int64N(int64(p.delay)))
	}
	if p.rand.Float64() >= p.share {
		return pass, delay
	}
	p.spoilt.Add(1)
	return ways[p.rand.IntN(len(ways))], delay
}

func status(code int, name string) spoiling {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(code)
		fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>%s</Code><Message>by the proxy</Message></Error>", name)
	}
}

// void takes an answer that nobody gets.
type void struct{ header http.Header }

func (v *void) Header() http.Header         { return v.header }
func (v *void) WriteHeader(int)             {}
func (v *void) Write(b []byte) (int, error) { return len(b), nil }

// cut passes the beginning of a body on.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(b []byte) (int, error) {
	if len(b) <= c.left {
		c.left -= len(b)
		return c.ResponseWriter.Write(b)
	}
	_, _ = c.ResponseWriter.Write(b[:c.left])
	_ = http.NewResponseController(c.ResponseWriter).Flush() // so that the client sees a beginning
	panic(http.ErrAbortHandler)
}

// hold spoils requests for some time.
func (p *proxy) hold(ctx context.Context, share float64, delay, long time.Duration) {
	p.set(share, delay)
	defer p.set(0, 0)
	select {
	case <-ctx.Done():
	case <-time.After(long):
	}
}
