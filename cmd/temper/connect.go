package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.temporal.io/sdk/client"

	"temper/artifact"
	"temper/configs"
	"temper/devstack"
)

// conn is a Temporal server and a bucket in use.
type conn struct {
	client   client.Client
	store    *artifact.Store
	settings configs.Settings // with the addresses in use
	ui       string           // base address of Temporal's UI; empty where it is not known
	owner    *stackRecord     // the process on this machine that runs the servers, unless it is this one
	own      *devstack.Stack  // the servers, where this process runs them
	cleanup  []func() error   // run last to first
}

// stopWithin bounds the end of the built-in servers.
const stopWithin = 30 * time.Second

// find connects to servers that run: those that the settings name, or those that another process runs in the data folder. It returns
// nil when the settings name none and none runs.
func find(ctx context.Context, s configs.Settings, log *slog.Logger) (*conn, error) {
	if elsewhere(s) {
		return attach(ctx, s, log)
	}
	r, ok := readRecord(s.Dir)
	if !ok {
		return nil, nil
	}
	c, err := attach(ctx, r.apply(s), log)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, nil // its number is another process's now: the file is left over from one that was killed
	}
	c.owner, c.ui = &r, r.UI
	return c, nil
}

// attach connects to the servers that the settings name.
func attach(ctx context.Context, s configs.Settings, log *slog.Logger) (*conn, error) {
	store, storeErr := openStore(ctx, s.S3, fileCache(s.S3)...)
	temporal, err := dialTemporal(ctx, s.Temporal, log)
	if err := errors.Join(err, storeErr); err != nil {
		if temporal != nil {
			temporal.Close()
		}
		return nil, err
	}
	c := &conn{client: temporal, store: store, settings: s}
	c.onClose(func() error { temporal.Close(); return nil })
	return c, nil
}

// fileCache keeps files read from the bucket, as the settings say. Where the user has no cache folder, nothing is kept.
func fileCache(s configs.S3) []artifact.Option {
	dir := s.Cache
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil
		}
		dir = filepath.Join(base, "temper", "files")
	}
	if s.CacheMB == 0 {
		return nil
	}
	return []artifact.Option{artifact.CacheBlobs(dir, int64(s.CacheMB)<<20)}
}

// ports say where built-in servers listen.
type ports bool

const (
	settingsPorts ports = true  // where the settings say
	freePorts     ports = false // anywhere, for a command that only looks something up
)

// startStack runs the servers in this process and connects to them. command is what they are started for; with settingsPorts other
// processes find them.
func startStack(ctx context.Context, s configs.Settings, where ports, command string, log *slog.Logger) (c *conn, err error) {
	o, err := stackOptions(s, where, log)
	if err != nil {
		return nil, err
	}
	stack, err := devstack.Start(ctx, o)
	if err != nil {
		return nil, err
	}
	c = &conn{}
	c.onClose(func() error { return stopStack(stack) })
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	r := stackRecord{Temporal: stack.TemporalAddress, Namespace: stack.Namespace, S3: stack.S3Endpoint, Region: stack.S3().Region,
		Bucket: stack.Bucket, AccessKey: stack.AccessKey, SecretKey: stack.SecretKey}
	in, err := attach(ctx, r.apply(s), log)
	if err != nil {
		return nil, err
	}
	c.client, c.store, c.settings, c.own, c.ui = in.client, in.store, in.settings, stack, stack.UIURL
	c.cleanup = append(c.cleanup, in.cleanup...)
	if where == settingsPorts {
		remove, err := writeRecord(stack, command)
		if err != nil {
			return nil, err
		}
		c.onClose(remove)
	}
	return c, nil
}

// stackOptions are those of built-in servers.
func stackOptions(s configs.Settings, where ports, log *slog.Logger) (devstack.Options, error) {
	attributes, err := attributeTypes()
	o := devstack.Options{Dir: s.Dir, Namespace: s.Temporal.Namespace, Bucket: s.S3.Bucket, SearchAttributes: attributes, Logger: log}
	if where == settingsPorts {
		o.TemporalPort, o.UIPort, o.S3Port = s.Temporal.Port, s.Temporal.UIPort, s.S3.Port
	}
	return o, err
}

func stopStack(s *devstack.Stack) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	return s.Stop(ctx)
}

// look connects for a command that only reads: to servers that run, or to the built-in ones, which it starts for as long as it takes.
func (a *app) look(ctx context.Context) (*conn, error) {
	s, err := a.settings()
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	c, err := find(ctx, s, log)
	if err != nil || c != nil {
		return c, err
	}
	if _, err := os.Stat(filepath.Join(s.Dir, "temporal")); errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there are no runs in %s yet (dir): start one with temper run, or name another folder with --set dir=", s.Dir)
	}
	return startStack(ctx, s, freePorts, "", log)
}

func (c *conn) onClose(f func() error) { c.cleanup = append(c.cleanup, f) }

// Close lets go of everything, the last first.
func (c *conn) Close() error {
	var errs []error
	for len(c.cleanup) > 0 {
		last := c.cleanup[len(c.cleanup)-1]
		c.cleanup = c.cleanup[:len(c.cleanup)-1]
		errs = append(errs, last())
	}
	return errors.Join(errs...)
}

// failed delivers an error when built-in servers of this process end by themselves.
func (c *conn) failed() <-chan error {
	if c.own == nil {
		return nil
	}
	return c.own.Failed()
}

// link is the address of a run in the UI, or empty.
func (c *conn) link(id, runID string) string {
	if c.ui == "" {
		return ""
	}
	return c.ui + "/namespaces/" + url.PathEscape(c.settings.Temporal.Namespace) + "/workflows/" + url.PathEscape(id) + "/" + url.PathEscape(runID)
}
