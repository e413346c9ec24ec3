package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"temper/artifact"
	"temper/artifact/s3"
	"temper/configs"
)

// reachWithin is how long a server may take to answer before a command gives up.
const reachWithin = 5 * time.Second

// dialTemporal connects to a server and sees that it has the namespace. Errors name the setting.
func dialTemporal(ctx context.Context, t configs.Temporal, log *slog.Logger) (client.Client, error) {
	name, err := identity()
	if err != nil {
		return nil, err
	}
	options := client.Options{HostPort: t.Address, Namespace: t.Namespace, Identity: name, Logger: sdklog.NewStructuredLogger(log)}
	if t.APIKey != "" {
		options.Credentials = client.NewAPIKeyStaticCredentials(t.APIKey.Reveal())
	}
	if t.TLS.Enabled {
		conf, err := tlsConfig(t.TLS)
		if err != nil {
			return nil, err
		}
		options.ConnectionOptions.TLS = conf
	} else {
		options.ConnectionOptions.TLSDisabled = true // an API key alone would turn it on
	}
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("temporal.address: no Temporal server answers at %s within %s: %w", t.Address, reachWithin, err)
	}
	_, err = c.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: t.Namespace})
	var missing *serviceerror.NamespaceNotFound
	switch {
	case err == nil:
		return c, nil
	case errors.As(err, &missing):
		err = fmt.Errorf("temporal.namespace: the server at %s has no namespace %q", t.Address, t.Namespace)
	default:
		err = fmt.Errorf("temporal.namespace: %q at %s: %w", t.Namespace, t.Address, err)
	}
	c.Close()
	return nil, err
}

func tlsConfig(t configs.TemporalTLS) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, fmt.Errorf("temporal.tls.ca: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("temporal.tls.ca: %s has no PEM certificate", t.CA)
		}
	}
	if t.Cert != "" {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, fmt.Errorf("temporal.tls.cert, temporal.tls.key: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}

// openStore opens the bucket that the settings name. Errors name the setting.
func openStore(ctx context.Context, s configs.S3, options ...artifact.Option) (*artifact.Store, error) {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	backend, err := s3.Open(ctx, s3.Options{Endpoint: s.Endpoint, AccessKey: s.AccessKey, SecretKey: s.SecretKey.Reveal(),
		SessionToken: s.SessionToken.Reveal(), Region: s.Region, Bucket: s.Bucket, Prefix: s.Prefix, TLS: s.TLS,
		Encryption: s.Encryption, KMSKey: s.KMSKey, LockMode: s.LockMode, LockDays: s.LockDays})
	switch {
	case err == nil:
		return artifact.New(backend, options...), nil
	case errors.Is(err, s3.ErrProtection):
		return nil, fmt.Errorf("s3.encryption, s3.lock_mode: %w", err)
	case errors.Is(err, artifact.ErrDenied):
		return nil, fmt.Errorf("s3.access_key, s3.secret_key: refused at %s: %w", s.Endpoint, err)
	case errors.Is(err, artifact.ErrNotFound):
		return nil, fmt.Errorf("s3.bucket: %q at %s: %w", s.Bucket, s.Endpoint, err)
	}
	return nil, fmt.Errorf("s3.endpoint: no S3 store answers at %s: %w", s.Endpoint, err)
}
