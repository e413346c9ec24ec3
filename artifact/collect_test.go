package artifact_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"temper/artifact"
	"temper/artifact/memory"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// aged is a bucket whose objects are as old as the test wants.
func aged(t require.TestingT) (*artifact.Store, *memory.Backend, *clock) {
	c := &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	b := memory.New()
	b.Now = c.read
	s := artifact.New(b)
	s.SetClock(c.read)
	return s, b, c
}

const day = 24 * time.Hour

func blobOf(body string) string {
	digest := sha(body)
	return "blobs/sha256/" + digest[:2] + "/" + digest[2:]
}

func has(t require.TestingT, b artifact.Backend, key string) bool {
	_, err := b.Stat(context.Background(), key)
	if err != nil {
		require.ErrorIs(t, err, artifact.ErrNotFound)
	}
	return err == nil
}

func manifestOf(ref artifact.Ref) string { return "manifests/" + ref.String() + ".json" }

func TestCollect(t *testing.T) {
	s, b, c := aged(t)
	base := commit(t, s, "model", "base")
	snapshot := commit(t, s, "state", "snapshot", artifact.Parent{Role: "base", Ref: base})
	champion := commit(t, s, "model", "champion", artifact.Parent{Role: "state", Ref: snapshot})
	before := commit(t, s, "model", "before")
	remembered := commit(t, s, "model", "remembered")
	named := commit(t, s, "log", "named by a run")
	kept := commit(t, s, "report", "kept by its kind")
	loose := commit(t, s, "rollouts", "loose")
	twin, err := s.Commit(t.Context(), artifact.Manifest{Kind: "state", Summary: "shares a file"}, map[string][]byte{"f": []byte("champion"), "g": []byte("its own")})
	require.NoError(t, err)
	_, err = b.Put(t.Context(), blobOf("of a commit that died"), []byte("of a commit that died"), artifact.Condition{})
	require.NoError(t, err)
	require.NoError(t, s.SetAlias(t.Context(), "champion", before, nil, "me", ""))
	require.NoError(t, s.SetAlias(t.Context(), "champion", champion, nil, "me", ""))
	require.NoError(t, s.Remember(t.Context(), "stage-1", map[string]artifact.Ref{"model": remembered}))
	c.advance(2 * day)
	young := commit(t, s, "rollouts", "young")
	_, err = b.Put(t.Context(), blobOf("of a commit under way"), []byte("of a commit under way"), artifact.Condition{})
	require.NoError(t, err)
	gone := artifact.Ref{Kind: "model", Digest: strings.Repeat("0", 64)}
	how := artifact.Collection{OlderThan: day, Roots: []artifact.Ref{named, gone}, DryRun: true,
		Keep: func(e artifact.Entry) bool { return e.Ref.Kind == "report" }}

	before0 := keysOf(t, b, "")
	dry, err := s.Collect(t.Context(), how)
	require.NoError(t, err)
	require.Equal(t, before0, keysOf(t, b, ""), "a dry run changes nothing")
	want := artifact.Collected{Kept: 6, Lineage: 2, Removed: sortedRefs(loose, twin), Blobs: 5, Missing: []artifact.Ref{gone},
		Bytes: int64(len("loose" + "its own" + "base" + "snapshot" + "of a commit that died"))}
	require.Equal(t, want, bareAll(dry))

	how.DryRun = false
	got, err := s.Collect(t.Context(), how)
	require.NoError(t, err)
	require.Equal(t, want, bareAll(got))
	for _, ref := range []artifact.Ref{champion, before, remembered, named, kept, young} {
		read(t, s, ref, "f")
	}
	for _, ref := range []artifact.Ref{loose, twin} {
		_, err := s.Load(t.Context(), ref)
		require.ErrorIs(t, err, artifact.ErrNotFound)
	}
	for body, stays := range map[string]bool{"base": false, "snapshot": false, "champion": true, "its own": false, "loose": false,
		"of a commit that died": false, "of a commit under way": true} {
		require.Equal(t, stays, has(t, b, blobOf(body)), body)
	}
	node, err := s.Lineage(t.Context(), champion)
	require.NoError(t, err)
	require.Equal(t, champion.Short()+"  champion\n└─ state: "+snapshot.Short()+"  snapshot\n   └─ base: "+base.Short()+"  base\n", node.String())
	require.Empty(t, keysOf(t, b, "gc/"), "nothing is left of it")

	again, err := s.Collect(t.Context(), how)
	require.NoError(t, err)
	require.Empty(t, again.Removed)
	require.Zero(t, again.Blobs)

	// What is kept by setting goes by setting.
	how.ForgetHistory, how.ForgetStages, how.Keep, how.Roots = true, day, nil, nil
	got, err = s.Collect(t.Context(), how)
	require.NoError(t, err)
	require.Equal(t, sortedRefs(before, remembered, named, kept), bareAll(got).Removed)
	require.Equal(t, 1, got.Stages)
	_, ok, err := s.Recall(t.Context(), "stage-1")
	require.NoError(t, err)
	require.False(t, ok)
	// What was collected can be made again.
	require.Equal(t, loose, commit(t, s, "rollouts", "loose"))
	read(t, s, loose, "f")
	require.Equal(t, base, commit(t, s, "model", "base"), "a manifest without its file")
	read(t, s, base, "f")
}

func keysOf(t require.TestingT, b artifact.Backend, prefix string) []string {
	var keys []string
	for info, err := range b.List(context.Background(), prefix) {
		require.NoError(t, err)
		keys = append(keys, info.Key)
	}
	return keys
}

func sortedRefs(refs ...artifact.Ref) []artifact.Ref {
	out := make([]artifact.Ref, len(refs))
	for i, r := range refs {
		out[i] = artifact.Ref{Kind: r.Kind, Digest: r.Digest}
	}
	slices.SortFunc(out, func(a, b artifact.Ref) int { return strings.Compare(a.String(), b.String()) })
	return out
}

func bareAll(c artifact.Collected) artifact.Collected {
	c.Removed = sortedRefs(c.Removed...)
	return c
}

func TestCollectRefuses(t *testing.T) {
	s, b, c := aged(t)
	ref := commit(t, s, "model", "m")
	_, err := s.Collect(t.Context(), artifact.Collection{OlderThan: artifact.MinimumAge - 1})
	require.ErrorContains(t, err, "1h0m0s")
	_, err = b.Put(t.Context(), manifestOf(ref), []byte("{}"), artifact.Condition{})
	require.NoError(t, err)
	c.advance(2 * day)
	_, err = s.Collect(t.Context(), artifact.Collection{OlderThan: day})
	require.ErrorIs(t, err, artifact.ErrCorrupt)
	require.ErrorContains(t, err, ref.String())
	require.True(t, has(t, b, blobOf("m")), "nobody knows what a damaged manifest needs")
}

// A stage that is used is not forgotten, and one whose output is gone is.
func TestCollectForgetsStages(t *testing.T) {
	s, b, c := aged(t)
	used, unused, broken := commit(t, s, "model", "used"), commit(t, s, "model", "unused"), commit(t, s, "model", "broken")
	require.NoError(t, s.Remember(t.Context(), "used", map[string]artifact.Ref{"m": used}))
	require.NoError(t, s.Remember(t.Context(), "unused", map[string]artifact.Ref{"m": unused}))
	require.NoError(t, s.Remember(t.Context(), "broken", map[string]artifact.Ref{"m": broken}))
	require.NoError(t, b.Delete(t.Context(), manifestOf(broken)))
	c.advance(5 * day)
	_, ok, err := s.Recall(t.Context(), "used")
	require.NoError(t, err)
	require.True(t, ok)
	c.advance(5 * day)
	got, err := s.Collect(t.Context(), artifact.Collection{OlderThan: day, ForgetStages: 7 * day})
	require.NoError(t, err)
	require.Equal(t, 2, got.Stages)
	require.Equal(t, sortedRefs(unused), bareAll(got).Removed)
	require.Equal(t, []string{"stages/used.json"}, keysOf(t, b, "stages/"))
	read(t, s, used, "f")
}

// Whatever is made of whatever, and whatever is kept: what is kept is whole, what it was
// made from is known, and nothing else is left.
func TestCollectProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, b, c := aged(rt)
		n := rapid.IntRange(1, 12).Draw(rt, "artifacts")
		refs, bodies := make([]artifact.Ref, n), make([][]string, n)
		parents := make([][]int, n)
		roots := map[int]bool{}
		for i := range n {
			m := artifact.Manifest{Kind: rapid.SampledFrom([]string{"model", "state"}).Draw(rt, "kind"), Summary: fmt.Sprint(i)}
			files := map[string][]byte{}
			for j := range rapid.IntRange(0, 3).Draw(rt, "files") {
				body := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g"}).Draw(rt, "body")
				files[fmt.Sprint(j)] = []byte(body)
				bodies[i] = append(bodies[i], body)
			}
			for j := range i {
				if rapid.IntRange(0, 3).Draw(rt, "child") == 0 {
					m.Parents = append(m.Parents, artifact.Parent{Role: "p", Ref: refs[j]})
					parents[i] = append(parents[i], j)
				}
			}
			ref, err := s.Commit(context.Background(), m, files)
			require.NoError(rt, err)
			refs[i] = ref
		}
		c.advance(2 * day)
		how := artifact.Collection{OlderThan: day}
		for i, ref := range refs {
			switch rapid.IntRange(0, 5).Draw(rt, "root") {
			case 0:
				require.NoError(rt, s.SetAlias(context.Background(), fmt.Sprintf("a/%d", i), ref, nil, "me", ""))
			case 1:
				require.NoError(rt, s.Remember(context.Background(), fmt.Sprint(i), map[string]artifact.Ref{"x": ref}))
			case 2:
				how.Roots = append(how.Roots, ref)
			default:
				continue
			}
			roots[i] = true
		}
		_, err := s.Collect(context.Background(), how)
		require.NoError(rt, err)

		lineage, blobs := map[int]bool{}, map[string]bool{}
		var up func(i int)
		up = func(i int) {
			lineage[i] = true
			for _, p := range parents[i] {
				up(p)
			}
		}
		for i := range roots {
			up(i)
			for _, body := range bodies[i] {
				blobs[blobOf(body)] = true
			}
		}
		var manifests []string
		for i := range lineage {
			manifests = append(manifests, manifestOf(refs[i]))
		}
		require.ElementsMatch(rt, manifests, keysOf(rt, b, "manifests/"))
		require.Len(rt, keysOf(rt, b, "blobs/"), len(blobs))
		for key := range blobs {
			require.True(rt, has(rt, b, key))
		}
	})
}
