package devstack

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	uiserver "github.com/temporalio/ui-server/v2/server"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	uioptions "github.com/temporalio/ui-server/v2/server/server_options"
)

// startUI serves the web UI, and waits until it answers and reaches the server.
func (s *Stack) startUI(ctx context.Context, port int) error {
	ui := uiserver.NewServer(uioptions.WithConfigProvider(&uiconfig.Config{
		Host: loopback, Port: port, TemporalGRPCAddress: s.TemporalAddress, EnableUI: true, DefaultNamespace: s.Namespace,
		CORS:     uiconfig.CORS{CookieInsecure: true}, // there is no TLS on the loopback
		HideLogs: true, DisableNewsFetch: true,
	}))
	s.UIURL = "http://" + address(port)
	done := make(chan error, 1)
	// Start returns once it is stopped. When it cannot bind it ends the process, so the
	// port was checked before.
	go func() { done <- ui.Start() }()
	s.started("web UI", func() error { ui.Stop(); return <-done })

	web := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, path := range []string{"/", "/api/v1/namespaces/" + s.Namespace} {
		if err := s.until(ctx, "the web UI at "+s.UIURL, func(ctx context.Context) error {
			return get(ctx, web, s.UIURL+path)
		}); err != nil {
			return err
		}
	}
	return nil
}

func get(ctx context.Context, web *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := web.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}
