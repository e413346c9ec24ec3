package main

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/memory"
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
