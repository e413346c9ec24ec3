package artifact_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/memory"
)

// ranged counts the parts that are read, and breaks some of them off.
type ranged struct {
	*memory.Backend
	parts, breaks atomic.Int64
}

func (r *ranged) GetRange(ctx context.Context, key string, offset, length int64) (io.ReadCloser, error) {
	r.parts.Add(1)
	body, err := r.Backend.GetRange(ctx, key, offset, length)
	if err == nil && r.breaks.Add(-1) >= 0 {
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(body, length/2), body}, nil
	}
	return body, err
}

func TestLargeFilesComeInParts(t *testing.T) {
	const part = 16 << 20
	noise := make([]byte, 5*part+17)
	for i, rng := 0, rand.New(rand.NewPCG(1, 2)); i < len(noise); i += 997 {
		noise[i] = byte(rng.Uint32())
	}
	for _, size := range []int{part, part + 1, 2 * part, 5*part + 17} {
		b := &ranged{Backend: memory.New()}
		s := artifact.New(b)
		ref, err := s.Commit(t.Context(), artifact.Manifest{Kind: "model"}, map[string][]byte{"w": noise[:size]})
		require.NoError(t, err)
		b.breaks.Store(2)
		got, err := s.Read(t.Context(), ref, "w")
		require.NoError(t, err)
		require.True(t, bytes.Equal(noise[:size], got))
		want := int64((size+part-1)/part) + 2 // and those that broke off
		if size <= part {
			want = 0
		}
		require.Equal(t, want, b.parts.Load(), size)
		require.NoError(t, s.Fetch(t.Context(), ref, filepath.Join(t.TempDir(), "out")))
	}

	b := &ranged{Backend: memory.New()}
	s := artifact.New(b)
	ref, err := s.Commit(t.Context(), artifact.Manifest{Kind: "model"}, map[string][]byte{"w": noise})
	require.NoError(t, err)
	b.breaks.Store(1000)
	_, err = s.Read(t.Context(), ref, "w")
	require.ErrorIs(t, err, artifact.ErrUnreachable)
	b.breaks.Store(0)

	// Reading may end early; nothing goes on then.
	r, err := s.Open(t.Context(), ref, "w")
	require.NoError(t, err)
	_, err = io.ReadFull(r, make([]byte, 100))
	require.NoError(t, err)
	require.NoError(t, r.Close())
	ctx, cancel := context.WithCancel(t.Context())
	r, err = s.Open(ctx, ref, "w")
	require.NoError(t, err)
	cancel()
	_, err = io.Copy(io.Discard, r)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, r.Close())

	for name, damage := range map[string][]byte{"cut short": noise[:part*3], "bit flip": append([]byte{noise[0] ^ 1}, noise[1:]...)} {
		m, err := s.Load(t.Context(), ref)
		require.NoError(t, err)
		key := fmt.Sprintf("blobs/sha256/%s/%s", m.Files[0].Digest[:2], m.Files[0].Digest[2:])
		_, err = b.Put(t.Context(), key, damage, artifact.Condition{})
		require.NoError(t, err)
		_, err = s.Read(t.Context(), ref, "w")
		require.ErrorIs(t, err, artifact.ErrCorrupt, name)
	}
}
