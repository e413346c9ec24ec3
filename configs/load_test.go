package configs

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func noEnv() []string { return nil }

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestLoadOfNothingIsTheDefault(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := Load(Options{Env: noEnv})
	require.NoError(t, err)
	require.Equal(t, Default(), s)
}

func TestLoadLayers(t *testing.T) {
	first := write(t, "a.yaml", "dir: one\ns3: {bucket: bucket-a, region: a, access_key: 0123, secret_key: x}\nxla: {options: {cpu_device_count: 1, other: 2}}\n")
	second := write(t, "b.yaml", "s3: {region: b}\nlog: {level: debug}\nworker: {queues: [q1, q2], drain: 1m}\n")
	s, err := Load(Options{
		Files: []string{first, second},
		Env: func() []string {
			return []string{"TEMPER_S3_SECRET_KEY=from env", "TEMPER_LOG_LEVEL=warn", "TEMPER_TEMPORAL_TLS_ENABLED=true", "TEMPER_DIR=", "PATH=/bin",
				"TEMPER_WORKER_SLOTS_CPU=3", "TEMPER_SERVICE_HOST=10.0.0.1"}
		},
		Set: []string{"log.level=error", "s3.port=9100", "xla.options.cpu_device_count=4", "worker.queues=a, b", "s3.prefix=x=y"},
	})
	require.NoError(t, err)
	require.Equal(t, "one", s.Dir)
	require.Equal(t, "bucket-a", s.S3.Bucket)
	require.Equal(t, "b", s.S3.Region)
	require.Equal(t, "0123", s.S3.AccessKey, "text that looks like a number stays text")
	require.Equal(t, "from env", s.S3.SecretKey.Reveal())
	require.Equal(t, "error", s.Log.Level)
	require.Equal(t, 9100, s.S3.Port)
	require.Equal(t, map[string]any{"cpu_device_count": 4, "other": 2}, s.XLA.Options)
	require.Equal(t, []string{"a", "b"}, s.Worker.Queues)
	require.Equal(t, time.Minute, s.Worker.Drain)
	require.Equal(t, "x=y", s.S3.Prefix)
	require.True(t, s.Temporal.TLS.Enabled)
	require.Equal(t, 3, s.Worker.Slots.CPU)
	require.Equal(t, 7233, s.Temporal.Port, "what nobody sets keeps its default")
}

func TestLoadReadsTheFileInTheWorkingDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.WriteFile(DefaultFile, []byte("s3:\n  endpont: x\n"), 0o600))
	_, err := Load(Options{Env: noEnv})
	require.EqualError(t, err, "temper.yaml:2: s3.endpont: unknown setting; did you mean s3.endpoint?")
	_, err = Load(Options{Files: []string{}, Env: noEnv})
	require.NoError(t, err, "naming no files reads none")
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct {
		name, file string
		env, set   []string
		want       string
	}{
		{name: "unknown set", set: []string{"s3.endpont=x"}, want: "--set: s3.endpont: unknown setting; did you mean s3.endpoint?"},
		{name: "set into a value", set: []string{"dir.x=1"}, want: "--set: dir: expected text, found a mapping"},
		{name: "set without value", set: []string{"s3.port"}, want: "--set: s3.port: write it as a.b=c"},
		{name: "set of a wrong type", set: []string{"s3.port=many"}, want: `--set: s3.port: expected a whole number, found "many"`},
		{name: "env of a wrong type", env: []string{"TEMPER_S3_PORT=tcp://10.0.0.1:9000"}, want: `environment TEMPER_S3_PORT: s3.port: expected a whole number, found "tcp://10.0.0.1:9000"`},
		{name: "env that is no YAML", env: []string{"TEMPER_XLA_OPTIONS={"}, want: "environment TEMPER_XLA_OPTIONS: xla.options: not valid YAML: did not find expected node content"},
		{name: "misspelt env", env: []string{"TEMPER_S3_SECERT_KEY=x"}, want: "environment: TEMPER_S3_SECERT_KEY: unknown setting; did you mean TEMPER_S3_SECRET_KEY?"},
		{name: "port", set: []string{"s3.port=70000"}, want: "s3.port: must be at most 65535, is 70000"},
		{name: "level", set: []string{"log.level=debgu"}, want: `log.level: must be one of debug, info, warn, error, is "debgu"; did you mean debug?`},
		{name: "half a key", set: []string{"s3.access_key=x"}, want: "s3.secret_key: is required together with access_key"},
		{name: "half a certificate", set: []string{"temporal.tls.cert=x"}, want: "temporal.tls.key: is required together with cert"},
		{name: "scheme", set: []string{"s3.endpoint=http://x"}, want: "s3.endpoint: must be a host or host:port without a scheme; s3.tls chooses between http and https"},
		{name: "address", set: []string{"temporal.address=nowhere"}, want: `temporal.address: must be host:port, is "nowhere"`},
		{name: "no queue", set: []string{"worker.queues=[]"}, want: "worker.queues: must have a length of at least 1"},
		{name: "option name", file: "xla: {options: {Big: 1}}", want: "FILE:1: xla.options.Big: must be lower-case letters, digits and underscores"},
		{name: "secret of a wrong type", file: "s3: {secret_key: [hunter2]}", want: "FILE:1: s3.secret_key: expected text, found a list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := []string{}
			if c.file != "" {
				files = []string{write(t, "f.yaml", c.file)}
			}
			_, err := Load(Options{Files: files, Env: func() []string { return c.env }, Set: c.set})
			require.Error(t, err)
			got := err.Error()
			if len(files) > 0 {
				got = strings.ReplaceAll(got, files[0], "FILE")
			}
			require.Equal(t, c.want, got)
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	_, err := Load(Options{Files: []string{filepath.Join(t.TempDir(), "no.yaml")}, Env: noEnv})
	require.True(t, errors.Is(err, os.ErrNotExist))
}

func TestSettingsSurviveTheirOwnYAML(t *testing.T) {
	want := Default()
	want.XLA.Options = map[string]any{"cpu_device_count": 2}
	text, err := want.YAML()
	require.NoError(t, err)
	got, err := Load(Options{Files: []string{write(t, "s.yaml", string(text))}, Env: noEnv})
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestSecretsDoNotShow(t *testing.T) {
	s := Default()
	s.S3.SecretKey = "hunter2"
	s.Temporal.APIKey = "hunter2"
	var shown []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		shown = append(shown, fmt.Sprintf(verb, s), fmt.Sprintf(verb, s.S3.SecretKey), fmt.Sprintf(verb, &s.S3))
	}
	asJSON, err := json.Marshal(s)
	require.NoError(t, err)
	asYAML, err := yaml.Marshal(s)
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", s.S3.SecretKey, "s3", s.S3)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", s.S3.SecretKey, "s3", s.S3)
	for _, text := range append(shown, string(asJSON), string(asYAML), log.String()) {
		require.NotContains(t, text, "hunter2")
		require.NotContains(t, text, "68756e74657232")
	}
	require.Contains(t, string(asJSON), "[redacted]")
	require.Equal(t, "hunter2", s.S3.SecretKey.Reveal())
	require.Empty(t, Secret("").String())
}
