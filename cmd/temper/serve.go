package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/cobra"

	"temper/serve"
	"temper/serve/engine"
)

// serveOptions are the flags of temper serve.
type serveOptions struct{ model, listen, name string }

func (a *app) serveCommand() *cobra.Command {
	var o serveOptions
	c := &cobra.Command{Use: "serve --model DIR|REF", Short: "Answer requests with OpenAI's API",
		Long: `serve answers /v1/completions, /v1/chat/completions and /v1/models over HTTP until SIGTERM, on this machine alone unless --listen says
otherwise. DIR is a Hugging Face directory; REF an artifact of the bucket: kind/digest, the beginning of a digest, an alias, or latest
for the model made last. Requests must bear serve.api_key where it is set (TEMPER_SERVE_API_KEY).`,
		Args: arguments(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			if o.model == "" {
				return usagef("--model, a folder or an artifact, is missing")
			}
			ctx, stop := a.withSignals(c.Context())
			defer stop()
			return a.serve(ctx, o)
		}}
	f := c.Flags()
	f.StringVar(&o.model, "model", "", "the model: a Hugging Face directory `DIR|REF`, or an artifact")
	f.StringVar(&o.listen, "listen", "", "listen on `ADDR` (default: serve.listen, 127.0.0.1:8000)")
	f.StringVar(&o.name, "name", "", "call the model `NAME` (default: its folder's name, or its artifact)")
	return c
}

func (a *app) serve(ctx context.Context, o serveOptions) error {
	s, err := a.settings()
	if err != nil {
		return err
	}
	log, err := logger(s.Log, a.err)
	if err != nil {
		return err
	}
	listen := cmp.Or(o.listen, s.Serve.Listen)
	l, err := net.Listen("tcp", listen) // before the model, which takes time
	if err != nil {
		return fmt.Errorf("listen on %s: %w", listen, err)
	}
	defer l.Close()
	if at, ok := l.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() && s.Serve.APIKey == "" {
		log.Warn("anybody who reaches this address may use the model: set serve.api_key", "listen", listen)
	}
	m, done, err := a.servedModel(ctx, s, o.model, o.name, engine.Options{MaxBatch: powerOfTwo(s.Serve.Batch), MaxWaiting: s.Serve.Waiting}, log)
	if err != nil {
		return err
	}
	defer done()
	if err := m.Warm(ctx); err != nil {
		if errors.Is(context.Cause(ctx), errInterrupted) {
			return nil
		}
		return fmt.Errorf("generate a first token: %w", err)
	}
	fmt.Fprintf(a.out, "serving %s on http://%s/v1\n", m.Name, l.Addr())
	sum := sha256.Sum256([]byte(codeVersion() + "\n" + m.Name))
	return serve.NewServer(m, serve.Options{APIKey: s.Serve.APIKey.Reveal(), Fingerprint: "fp_" + hex.EncodeToString(sum[:5]), Drain: s.Serve.Drain, Log: log}).Serve(ctx, l)
}
