package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"

	"temper/activities/contract"
	"temper/artifact"
	"temper/artifact/s3"
)

// namespace and bucket are temper's defaults.
const namespace, bucket = "temper", "temper"

// stand is a set of processes that runs go through, and the way to them.
type stand struct {
	chaos *chaos
	dir   string // of this stand; data is kept below it

	processes []*process
	workers   []*process // those of processes that train
	disk      string     // the folder of the S3 store
	small     string     // the mounted folder that can be full; empty: none
	proxy     *proxy     // before the S3 store; nil: none

	settings    []string // --set of commands and workers
	environment []string // with the store's secret
	temporal    string
	bucket      s3.Options // without the proxy
	client      client.Client
	cleanup     []func()
}

// together is temper up: all in one process.
func together(ctx context.Context, c *chaos, dir string) (*stand, error) {
	s := &stand{chaos: c, dir: dir, disk: filepath.Join(dir, "data", "s3")}
	port, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	s.temporal = local(port[0])
	err = s.supervise("temper", nil, c.temper, "up", "--set", "dir="+filepath.Join(dir, "data"), "--set", fmt.Sprintf("temporal.port=%d", port[0]),
		"--set", fmt.Sprintf("temporal.ui_port=%d", port[1]), "--set", fmt.Sprintf("s3.port=%d", port[2]))
	if err != nil {
		return nil, err
	}
	s.workers = s.processes
	if err := s.ready(ctx, local(port[2])); err != nil {
		s.close()
		return nil, err
	}
	s.reach(local(port[2]))
	return s, nil
}

// apart runs each server and two workers in processes of their own, with a proxy before the store.
func apart(ctx context.Context, c *chaos, dir string) (*stand, error) {
	return separate(ctx, c, dir, dir)
}

// onSmallDisk is apart with the servers' data on a file system of smallDisk bytes.
func onSmallDisk(ctx context.Context, c *chaos, dir string) (*stand, error) {
	small := filepath.Join(dir, "small")
	if err := os.MkdirAll(small, 0o700); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%d", smallDisk), "none", small).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: mount a small file system: %s", errLeftOut, strings.TrimSpace(string(out)))
	}
	s, err := separate(ctx, c, dir, small)
	unmount := func() { _ = syscall.Unmount(small, 0) }
	if err != nil {
		unmount()
		return nil, err
	}
	s.small = small
	s.cleanup = append(s.cleanup, unmount)
	return s, nil
}

// smallDisk is enough for a few runs.
const smallDisk = 192 << 20

// errLeftOut says that a fault cannot be had on this machine.
var errLeftOut = errors.New("left out")

func separate(ctx context.Context, c *chaos, dir, data string) (_ *stand, err error) {
	s := &stand{chaos: c, dir: dir, disk: filepath.Join(data, "store", "s3")}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	port, err := freePorts(4)
	if err != nil {
		return nil, err
	}
	s.temporal = local(port[0])
	store, through := local(port[2]), local(port[3])
	if err := s.supervise("server", nil, c.temper, "up", "--only", "temporal", "--set", "dir="+filepath.Join(data, "server"),
		"--set", fmt.Sprintf("temporal.port=%d", port[0]), "--set", fmt.Sprintf("temporal.ui_port=%d", port[1])); err != nil {
		return nil, err
	}
	if err := s.startStore(data, store); err != nil {
		return nil, err
	}
	if s.proxy, err = newProxy(through, store, c.seed); err != nil {
		return nil, err
	}
	if err := s.ready(ctx, store); err != nil {
		return nil, err
	}
	s.reach(through)
	for i := range 2 {
		if err := s.supervise(fmt.Sprintf("worker%d", i+1), s.environment, c.temper, append([]string{"worker"}, s.settings...)...); err != nil {
			return nil, err
		}
	}
	s.workers = s.processes[len(s.processes)-2:]
	return s, nil
}

// reach makes the settings with which commands and workers use the servers.
func (s *stand) reach(store string) {
	s.settings = []string{"--set", "dir=" + filepath.Join(s.dir, "work"), "--set", "temporal.address=" + s.temporal, "--set", "s3.endpoint=" + store, "--set", "s3.access_key=" + s.bucket.AccessKey}
	s.environment = []string{"TEMPER_S3_SECRET_KEY=" + s.bucket.SecretKey}
}

// startStore starts the built-in S3 store, or the MinIO server that the command line named.
func (s *stand) startStore(data, address string) error {
	if s.chaos.minio == "" {
		_, port, _ := net.SplitHostPort(address)
		return s.supervise("s3", nil, s.chaos.temper, "up", "--only", "s3", "--set", "dir="+filepath.Join(data, "store"), "--set", "s3.port="+port)
	}
	s.bucket.AccessKey, s.bucket.SecretKey = "chaos", "chaos-on-loopback"
	s.disk = filepath.Join(data, "store")
	return s.supervise("s3", []string{"MINIO_ROOT_USER=" + s.bucket.AccessKey, "MINIO_ROOT_PASSWORD=" + s.bucket.SecretKey, "MINIO_BROWSER=off"},
		s.chaos.minio, "server", s.disk, "--address", address, "--quiet")
}

func (s *stand) supervise(name string, environment []string, path string, args ...string) error {
	p, err := supervise(s.dir, name, environment, path, args...)
	if err == nil {
		s.processes = append(s.processes, p)
	}
	return err
}

// readyWithin is how long servers may take to come up.
const readyWithin = 90 * time.Second

// ready waits until both servers answer and connects to them.
func (s *stand) ready(ctx context.Context, store string) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	var err error
	if s.client == nil {
		if s.client, err = client.NewLazyClient(client.Options{HostPort: s.temporal, Namespace: namespace,
			Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))}); err != nil {
			return err
		}
	}
	s.bucket.Endpoint, s.bucket.Bucket, s.bucket.CreateBucket = store, bucket, true
	for {
		if err = s.answer(ctx); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the servers of %s do not come up: %w", s.dir, err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (s *stand) answer(ctx context.Context) error {
	if _, err := s.client.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: namespace}); err != nil {
		return err
	}
	if s.chaos.minio == "" || s.proxy == nil {
		body, err := os.ReadFile(filepath.Join(s.disk, "credentials.json"))
		if err != nil {
			return err
		}
		var keys struct {
			AccessKey string `json:"access_key"`
			SecretKey string `json:"secret_key"`
		}
		if err := json.Unmarshal(body, &keys); err != nil {
			return err
		}
		s.bucket.AccessKey, s.bucket.SecretKey = keys.AccessKey, keys.SecretKey
	}
	_, err := s.store(ctx)
	return err
}

// store opens the bucket past the proxy.
func (s *stand) store(ctx context.Context) (*artifact.Store, error) {
	backend, err := s3.Open(ctx, s.bucket)
	if err != nil {
		return nil, err
	}
	return artifact.New(backend), nil
}

var started = regexp.MustCompile(`(?m)^run (\S+) has started`)

// start starts a run that takes nothing from earlier ones, with the command that people type.
func (s *stand) start(ctx context.Context) (id string, err error) {
	cmd := exec.CommandContext(ctx, s.chaos.temper, append([]string{"run", s.chaos.pipeline, "--detach", "--fresh"}, s.settings...)...)
	cmd.Env = append(os.Environ(), s.environment...)
	out, err := cmd.CombinedOutput()
	found := started.FindSubmatch(out)
	if err != nil || found == nil {
		return "", fmt.Errorf("start a run: %w: %s", err, out)
	}
	return string(found[1]), nil
}

// await waits for the end of a run, however often the server goes away meanwhile.
func (s *stand) await(ctx context.Context, id string) (contract.PipelineOut, error) {
	for {
		var out contract.PipelineOut
		err := s.client.GetWorkflow(ctx, id, "").Get(ctx, &out)
		var ended *temporal.WorkflowExecutionError
		if err == nil || errors.As(err, &ended) || ctx.Err() != nil {
			return out, err
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// kill kills the processes and says whether one of them ran.
func kill(processes ...*process) bool {
	hit := false
	for _, p := range processes {
		hit = p.signal(syscall.SIGKILL) || hit
	}
	return hit
}

func (s *stand) named(name string) *process {
	for _, p := range s.processes {
		if p.name == name {
			return p
		}
	}
	return nil
}

// close ends everything: workers first, for they wait for servers that are gone.
func (s *stand) close() {
	if s.client != nil {
		s.client.Close()
	}
	for i := len(s.processes) - 1; i >= 0; i-- {
		s.processes[i].close()
	}
	if s.proxy != nil {
		s.proxy.close()
	}
	for _, f := range s.cleanup {
		f()
	}
}

// logs are the ends of the processes' logs, for a report of what went wrong.
func (s *stand) logs() string {
	var b strings.Builder
	for _, p := range s.processes {
		f, err := os.Open(filepath.Join(s.dir, p.name+".log"))
		if err != nil {
			continue
		}
		if info, err := f.Stat(); err == nil {
			_, _ = f.Seek(max(0, info.Size()-1500), io.SeekStart)
		}
		tail, _ := io.ReadAll(f)
		_ = f.Close()
		fmt.Fprintf(&b, "== %s\n%s\n", p.name, tail)
	}
	return b.String()
}

func local(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// freePorts finds ports that nobody listens on. They are below those that the system gives to outgoing connections: a client that dials a server
// which is down could else be given the server's own port, and find itself.
func freePorts(n int) ([]int, error) {
	var out []int
	for range 10000 {
		port := 12000 + rand.IntN(20000)
		l, err := net.Listen("tcp", local(port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
		if out = append(out, port); len(out) == n {
			return out, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports", n)
}
