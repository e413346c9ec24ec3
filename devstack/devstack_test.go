package devstack

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"temper/artifact"
	"temper/artifact/backendtest"
	"temper/artifact/s3"
)

// childVariable makes the test binary run a stack in the folder it names, until killed.
const childVariable = "TEMPER_DEVSTACK_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVariable); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

func child(dir string) int {
	s, err := Start(context.Background(), Options{Dir: dir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"temporal": s.TemporalAddress, "s3": s.S3Endpoint}); err != nil {
		return 1
	}
	select {}
}

func startStack(t *testing.T, o Options) *Stack {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return s
}

func dial(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{HostPort: address, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// One stack, for all that needs no restart.
func TestStack(t *testing.T) {
	before, err := os.Getwd()
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "a folder #1 with 100% odd?name")
	s := startStack(t, Options{Dir: dir, SearchAttributes: map[string]enumspb.IndexedValueType{
		"TemperStage": enumspb.INDEXED_VALUE_TYPE_KEYWORD, "TemperReward": enumspb.INDEXED_VALUE_TYPE_DOUBLE}})

	t.Run("bucket conforms", func(t *testing.T) { conforms(t, s) })
	t.Run("workflow runs", func(t *testing.T) { runsWorkflow(t, s) })
	t.Run("namespace", func(t *testing.T) {
		answer, err := dial(t, s.TemporalAddress).WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: "default"})
		require.NoError(t, err)
		require.Equal(t, 30*24*time.Hour, answer.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())
	})
	t.Run("ui", func(t *testing.T) {
		answer, err := http.Get(s.UIURL)
		require.NoError(t, err)
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Contains(t, string(body), "<html")
	})
	t.Run("loopback only", func(t *testing.T) { loopbackOnly(t, s) })
	t.Run("strangers are refused", func(t *testing.T) {
		o := s.S3()
		o.SecretKey = "a guess"
		_, err := s3.Open(t.Context(), o)
		require.ErrorIs(t, err, artifact.ErrDenied)
		answer, err := http.Get("http://" + s.S3Endpoint + "/" + s.Bucket)
		require.NoError(t, err)
		defer answer.Body.Close()
		require.Equal(t, http.StatusForbidden, answer.StatusCode)
	})
	t.Run("no such bucket", func(t *testing.T) {
		o := s.S3()
		o.Bucket = "another"
		_, err := s3.Open(t.Context(), o)
		require.ErrorIs(t, err, artifact.ErrNotFound)
		require.ErrorContains(t, err, "another")
	})
	t.Run("secrets", func(t *testing.T) {
		info, err := os.Stat(filepath.Join(dir, "s3", "credentials.json"))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		encoded, err := json.Marshal(s)
		require.NoError(t, err)
		for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %s", s, s, s.S3()), string(encoded)} {
			require.NotContains(t, text, s.SecretKey)
		}
		require.GreaterOrEqual(t, len(s.SecretKey), 32)
	})
	t.Run("one a process", func(t *testing.T) {
		_, err := Start(t.Context(), Options{Dir: t.TempDir()})
		require.ErrorIs(t, err, ErrRunning)
	})

	start := time.Now()
	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Stop(t.Context()), "again")
	t.Logf("stopped in %s", time.Since(start))
	after, err := os.Getwd()
	require.NoError(t, err)
	require.Equal(t, before, after)
	for _, address := range []string{s.TemporalAddress, s.S3Endpoint, strings.TrimPrefix(s.UIURL, "http://")} {
		_, err := net.DialTimeout("tcp", address, time.Second)
		require.Error(t, err, "%s still listens", address)
	}
	select {
	case err := <-s.Failed():
		t.Errorf("an orderly stop counts as a failure: %v", err)
	default:
	}
}

// conforms gives every test of the suite a folder of its own in the bucket.
func conforms(t *testing.T, s *Stack) {
	n := 0
	backendtest.Run(t, func(t *testing.T) artifact.Backend {
		o := s.S3()
		n++
		o.Prefix = fmt.Sprintf("suite/%d", n)
		b, err := s3.Open(t.Context(), o)
		require.NoError(t, err)
		return b
	})
}

func greet(ctx workflow.Context, name string) (string, error) {
	err := workflow.UpsertTypedSearchAttributes(ctx, temporal.NewSearchAttributeKeyKeyword("TemperStage").ValueSet("sft"))
	return "hello " + name, err
}

func runsWorkflow(t *testing.T, s *Stack) {
	c := dial(t, s.TemporalAddress)
	w := worker.New(c, "q", worker.Options{})
	w.RegisterWorkflow(greet)
	require.NoError(t, w.Start())
	defer w.Stop()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "q",
		Priority: temporal.Priority{FairnessKey: "team", FairnessWeight: 2}}, greet, "you")
	require.NoError(t, err)
	var got string
	require.NoError(t, run.Get(t.Context(), &got))
	require.Equal(t, "hello you", got)
	require.Eventually(t, func() bool {
		l, err := c.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: "TemperStage = 'sft'"})
		return err == nil && len(l.GetExecutions()) == 1
	}, 20*time.Second, 50*time.Millisecond)

	paused, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: "nobody"}, "Later")
	require.NoError(t, err)
	_, err = c.WorkflowService().PauseWorkflowExecution(t.Context(), &workflowservice.PauseWorkflowExecutionRequest{
		Namespace: "default", WorkflowId: paused.GetID(), Reason: "test", RequestId: "1"})
	require.NoError(t, err, "pausing is enabled")
}

// loopbackOnly tries the stack's ports on the machine's other addresses.
func loopbackOnly(t *testing.T, s *Stack) {
	addresses, err := net.InterfaceAddrs()
	require.NoError(t, err)
	tried := 0
	for _, a := range addresses {
		network, ok := a.(*net.IPNet)
		if !ok || network.IP.IsLoopback() || network.IP.IsLinkLocalUnicast() {
			continue
		}
		tried++
		for _, at := range []string{s.TemporalAddress, s.S3Endpoint, strings.TrimPrefix(s.UIURL, "http://")} {
			_, port, err := net.SplitHostPort(at)
			require.NoError(t, err)
			c, err := net.DialTimeout("tcp", net.JoinHostPort(network.IP.String(), port), time.Second)
			if err == nil {
				c.Close()
				t.Errorf("%s answers on %s", at, network.IP)
			}
		}
	}
	if tried == 0 {
		t.Skip("this machine has no address but the loopback's")
	}
}

// A process that is killed leaves all that was answered: the next one goes on with it.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	killed := false
	defer func() {
		if !killed {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err)
	var at map[string]string
	require.NoError(t, json.Unmarshal(line, &at))

	_, err = Start(t.Context(), Options{Dir: dir})
	require.ErrorContains(t, err, fmt.Sprintf("in use by the process with pid %d", cmd.Process.Pid))

	c := dial(t, at["temporal"])
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "waiting", TaskQueue: "nobody",
		StartDelay: time.Hour, StaticSummary: "waits"}, "Wait")
	require.NoError(t, err)
	k, err := loadKeys(filepath.Join(dir, "s3", "credentials.json"))
	require.NoError(t, err)
	b, err := s3.Open(t.Context(), s3.Options{Endpoint: at["s3"], AccessKey: k.AccessKey, SecretKey: k.SecretKey, Bucket: "temper"})
	require.NoError(t, err)
	store := artifact.New(b)
	ref, err := store.Commit(t.Context(), artifact.Manifest{Kind: "model"}, map[string][]byte{"w": []byte("weights")})
	require.NoError(t, err)

	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait()
	killed = true

	s := startStack(t, Options{Dir: dir, SearchAttributes: map[string]enumspb.IndexedValueType{"TemperAdded": enumspb.INDEXED_VALUE_TYPE_INT}})
	require.Equal(t, k.SecretKey, s.SecretKey)
	c = dial(t, s.TemporalAddress)
	d, err := c.DescribeWorkflow(t.Context(), "waiting", "")
	require.NoError(t, err)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, d.Status)
	summary, err := d.GetStaticSummary()
	require.NoError(t, err)
	require.Equal(t, "waits", summary)
	require.NoError(t, c.TerminateWorkflow(t.Context(), "waiting", "", "goes on taking commands"))

	b, err = s3.Open(t.Context(), s.S3())
	require.NoError(t, err)
	body, err := artifact.New(b).Read(t.Context(), ref, "w")
	require.NoError(t, err)
	require.Equal(t, "weights", string(body))

	// The attribute that this start added to an existing database can be used at once.
	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{ID: "added", TaskQueue: "nobody",
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyInt64("TemperAdded").ValueSet(7))}, "Wait")
	require.NoError(t, err)

	// A second life in the same process, and an attribute of another type.
	require.NoError(t, s.Stop(t.Context()))
	_, err = Start(t.Context(), Options{Dir: dir, SearchAttributes: map[string]enumspb.IndexedValueType{"TemperAdded": enumspb.INDEXED_VALUE_TYPE_KEYWORD}})
	require.ErrorContains(t, err, "TemperAdded")
	s = startStack(t, Options{Dir: dir})
	_, err = dial(t, s.TemporalAddress).DescribeWorkflow(t.Context(), "added", "")
	require.NoError(t, err)
}
