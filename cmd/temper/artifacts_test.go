package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"

	"temper/activities/contract"
	"temper/artifact"
	"temper/artifact/memory"
	"temper/artifact/s3"
)

// made commits an artifact with one file.
func made(t *testing.T, s *artifact.Store, kind, body string, parents ...artifact.Parent) artifact.Ref {
	t.Helper()
	ref, err := s.Commit(t.Context(), artifact.Manifest{Kind: kind, Summary: body, Parents: parents}, map[string][]byte{"f": []byte(body)})
	require.NoError(t, err)
	return ref
}

func TestAliases(t *testing.T) {
	s := artifact.New(memory.New())
	var out bytes.Buffer
	a := &app{out: &out}
	said := func(err error) string {
		t.Helper()
		require.NoError(t, err)
		defer out.Reset()
		return out.String()
	}
	one, two := made(t, s, "model", "one"), made(t, s, "model", "two")
	require.Equal(t, "there are no aliases\n", said(a.listAliases(t.Context(), s)))
	require.Equal(t, "reason/champion is "+one.String()+"\n", said(a.setAlias(t.Context(), s, "reason/champion", one.Digest[:12], "none", "the first")))
	require.ErrorIs(t, a.setAlias(t.Context(), s, "reason/champion", two.String(), "none", ""), artifact.ErrPrecondition)
	require.ErrorIs(t, a.setAlias(t.Context(), s, "reason/champion", two.String(), two.Short(), ""), artifact.ErrPrecondition)
	require.ErrorContains(t, a.setAlias(t.Context(), s, "reason/champion", two.String(), "nobody", ""), "--expect")
	require.ErrorIs(t, a.setAlias(t.Context(), s, "reason/champion", "nobody", "", ""), artifact.ErrNotFound)
	require.ErrorContains(t, a.setAlias(t.Context(), s, "Champion", one.String(), "", ""), "Champion")
	said(a.setAlias(t.Context(), s, "reason/champion", two.String(), "reason/champion", "better\nthan before"))
	require.Regexp(t, `^ALIAS +ARTIFACT +SINCE +BY +WHY\nreason/champion +`+two.Short()+` +\S+ \S+ +`+regexp.QuoteMeta(me())+` +better than before\n$`,
		said(a.listAliases(t.Context(), s)))
	require.NoError(t, s.RemoveAlias(t.Context(), "reason/champion", me(), "enough"))
	require.Regexp(t, `^VERSION .*\n3 +\(removed\).*enough\n2 +`+two.Short()+`.*before\n1 +`+one.Short()+`.*the first\n$`,
		said(a.aliasHistory(t.Context(), s, "reason/champion")))
	require.ErrorIs(t, a.aliasHistory(t.Context(), s, "nobody"), artifact.ErrNotFound)
}

func TestRefsInHistories(t *testing.T) {
	payload := func(value any) *commonpb.Payloads {
		p, err := converter.GetDefaultDataConverter().ToPayloads(value)
		require.NoError(t, err)
		return p
	}
	ref := func(digit string) artifact.Ref {
		return artifact.Ref{Kind: "model", Digest: strings.Repeat(digit, 64), Content: strings.Repeat("c", 64)}
	}
	found := map[artifact.Ref]bool{}
	for _, e := range []*historypb.HistoryEvent{
		{Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
			Input: payload(contract.StageInput{Stage: contract.Stage{Models: map[string]artifact.Ref{"base": ref("1")}}, Resume: &contract.Resume{
				State: contract.State{Log: []contract.Update{{Policy: &contract.PolicyStep{Rollouts: ref("2")}}}}, Rounds: []contract.Round{{Rollouts: ref("3")}}}}),
			Memo: &commonpb.Memo{Fields: map[string]*commonpb.Payload{"m": payload(ref("4")).Payloads[0]}}}}},
		{Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{
			Result: payload(contract.TrainOutput{State: contract.State{Snapshot: ref("5")}})}}},
		{Attributes: &historypb.HistoryEvent_ActivityTaskCompletedEventAttributes{ActivityTaskCompletedEventAttributes: &historypb.ActivityTaskCompletedEventAttributes{
			Result: payload(nil)}}},
	} {
		require.NoError(t, refsInEvent(e.ProtoReflect(), found))
	}
	want := map[artifact.Ref]bool{}
	for _, digit := range []string{"1", "2", "3", "4", "5"} {
		want[artifact.Ref{Kind: "model", Digest: strings.Repeat(digit, 64)}] = true
	}
	require.Equal(t, want, found)
	secret := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("binary/encrypted")}, Data: []byte("x")}
	require.ErrorContains(t, refsInPayload(secret, found), "binary/encrypted")
}

func TestWhatIsKeptForWhatItIs(t *testing.T) {
	entry := func(kind, by string) artifact.Entry {
		return artifact.Entry{Ref: artifact.Ref{Kind: kind}, Manifest: artifact.Manifest{MadeBy: artifact.MadeBy{Workflow: by}}}
	}
	open := map[string]bool{"demo-1": true}
	require.True(t, keeps(entry("state", "demo-1"), open, true), "of an open run")
	require.False(t, keeps(entry("state", "demo-2"), open, true))
	require.True(t, keeps(entry("report", "demo-2"), open, true))
	require.True(t, keeps(entry("model", ""), open, true), "imported")
	require.False(t, keeps(entry("model", ""), open, false))
	require.False(t, keeps(entry("problems", ""), open, true))
	require.False(t, keeps(entry("model", "demo-2"), open, true))
}

func TestThinned(t *testing.T) {
	var entries []artifact.Entry
	for hour := range 4 {
		entries = append(entries, artifact.Entry{Ref: artifact.Ref{Kind: "state", Digest: string(rune('a' + hour)), Content: "x"},
			Manifest: artifact.Manifest{Created: time.Date(2026, 1, 1, hour, 0, 0, 0, time.UTC)}})
	}
	slices.Reverse(entries[1:])
	got := thinned(map[string][]artifact.Entry{"run/one": entries, "run/two": {entries[1]}}, 2)
	require.Equal(t, map[artifact.Ref]bool{{Kind: "state", Digest: "a"}: true, {Kind: "state", Digest: "b"}: true},
		got, "the newest two of each stay, with more than two or fewer")
}

func TestCollectArguments(t *testing.T) {
	code, _, stderr := cli(t, "artifacts", "gc", "--older-than", "10m")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--older-than 10m0s: want at least 1h0m0s")
	code, _, stderr = cli(t, "artifacts", "gc", "--forget-stages", "-1h")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--forget-stages")
	code, _, stderr = cli(t, "artifacts", "gc", "--snapshots", "-1")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--snapshots")
}

func TestCopyInto(t *testing.T) {
	var out bytes.Buffer
	a := &app{out: &out}
	from, to := artifact.New(memory.New()), artifact.New(memory.New())
	base := made(t, from, "model", "base")
	model := made(t, from, "model", "model", artifact.Parent{Role: "base", Ref: base})
	require.NoError(t, a.copyInto(t.Context(), from, to, model, copyOptions{alias: "best"}))
	require.Equal(t, model.String()+" is there, with a lineage of 1; 1 files (5 B) were sent\n", out.String())
	got, err := to.Resolve(t.Context(), "best")
	require.NoError(t, err)
	require.Equal(t, model, got)

	code, _, stderr := cli(t, "artifacts", "copy", "x")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--to is missing")
	code, _, stderr = cli(t, "artifacts", "copy", "x", "--to", "y", "--alias", "No Name")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--alias")
	file := filepath.Join(t.TempDir(), "to.yaml")
	require.NoError(t, os.WriteFile(file, []byte("s3: {bukket: x}"), 0o600))
	code, _, stderr = cli(t, "artifacts", "copy", "x", "--to", file)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "did you mean")
	t.Setenv("TEMPER_S3_BUCKET", "of-the-source")
	require.NoError(t, os.WriteFile(file, []byte("dir: there"), 0o600))
	s, err := targetSettings(file)
	require.NoError(t, err)
	require.Equal(t, "temper", s.S3.Bucket, "variables are for the store that is copied from")
	require.True(t, filepath.IsAbs(s.Dir))
}

func TestProjectPolicy(t *testing.T) {
	code, stdout, stderr := cli(t, "artifacts", "policy", "--project", "teams/reason/", "--principal", "arn:aws:iam::1:role/a", "--principal", "arn:aws:iam::1:user/b", "--set", "s3.bucket=shared")
	require.Equal(t, exitOK, code, stderr)
	var p s3.Policy
	require.NoError(t, json.Unmarshal([]byte(stdout), &p))
	require.Equal(t, "2012-10-17", p.Version)
	people := []any{"arn:aws:iam::1:role/a", "arn:aws:iam::1:user/b"}
	prefixes := []any{"teams/reason", "teams/reason/", "teams/reason/*"}
	seen := map[string]bool{}
	for _, s := range p.Statement {
		require.Regexp(t, `^[A-Za-z0-9]+$`, s.Sid)
		require.False(t, seen[s.Sid])
		seen[s.Sid] = true
		list := strings.Contains(s.Action[0], "List")
		if list {
			require.Equal(t, []string{"arn:aws:s3:::shared"}, s.Resource)
			require.Equal(t, map[string]any{"s3:prefix": prefixes}, s.Condition["StringLike"])
		} else {
			require.Equal(t, []string{"arn:aws:s3:::shared/teams/reason/*"}, s.Resource)
			require.NotContains(t, s.Condition, "StringLike")
		}
		switch s.Effect {
		case "Allow":
			require.Equal(t, people, s.Principal["AWS"])
			require.NotContains(t, s.Condition, "StringNotEquals")
		case "Deny":
			require.Equal(t, "*", s.Principal["AWS"])
			require.Equal(t, map[string]any{"aws:PrincipalArn": people}, s.Condition["StringNotEquals"], "the people of the project are not denied")
		default:
			require.Fail(t, s.Effect)
		}
	}
	require.Len(t, seen, 4)
	code, stdout, stderr = cli(t, "artifacts", "policy", "--project", "x", "--principal", "arn:aws:iam::1:role/a", "--allow-only")
	require.Equal(t, exitOK, code, stderr)
	require.NotContains(t, stdout, "Deny")

	code, stdout, _ = cli(t, "artifacts", "policy", "--principal", "arn:aws:iam::1:role/a", "--set", "s3.prefix=mine")
	require.Equal(t, exitOK, code)
	require.Contains(t, stdout, "arn:aws:s3:::temper/mine/*")
	for want, args := range map[string][]string{
		"--project is missing":   {"--principal", "arn:aws:iam::1:role/a"},
		"--principal is missing": {"--project", "x"},
		"principal \"*\"":        {"--project", "x", "--principal", "*"},
		"project \"a*\"":         {"--project", "a*", "--principal", "arn:aws:iam::1:role/a"},
	} {
		code, _, stderr := cli(t, append([]string{"artifacts", "policy"}, args...)...)
		require.NotEqual(t, exitOK, code)
		require.Contains(t, stderr, want)
	}
}
