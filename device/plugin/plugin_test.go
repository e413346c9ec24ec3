package plugin

import (
	"archive/zip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindSaysWhatWasTriedAndHowToGiveOne(t *testing.T) {
	dir := t.TempDir()
	_, err := Find("", dir)
	require.ErrorIs(t, err, ErrNotInstalled)
	for _, want := range []string{"lammps-jax-pjrt-cpu", "xla.plugin", "TEMPER_XLA_PLUGIN", "make plugin", dir} {
		require.ErrorContains(t, err, want)
	}
	_, err = Find(filepath.Join(dir, "none.so"), dir)
	require.ErrorContains(t, err, "xla.plugin")
	_, err = Find(dir, dir)
	require.ErrorContains(t, err, "is a folder")
}

func TestFindTakesTheGivenPathThenTheFirstInstalled(t *testing.T) {
	dir := t.TempDir()
	for _, w := range []wheel{wheels[2], wheels[1]} {
		require.NoError(t, os.MkdirAll(filepath.Dir(w.installed(dir)), 0o755))
		require.NoError(t, os.WriteFile(w.installed(dir), nil, 0o644))
		got, err := Find("", dir)
		require.NoError(t, err)
		require.Equal(t, w.installed(dir), got)
	}
	own := filepath.Join(dir, "own.so")
	require.NoError(t, os.WriteFile(own, nil, 0o644))
	got, err := Find(own, dir)
	require.NoError(t, err)
	require.Equal(t, own, got)
}

func TestExtractRefusesAnotherLibrary(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "x.whl")
	f, err := os.Create(archive)
	require.NoError(t, err)
	z := zip.NewWriter(f)
	w, err := z.Create("lib/plugin.so")
	require.NoError(t, err)
	_, err = w.Write([]byte("abc"))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.NoError(t, f.Close())

	const sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // SHA-256 of "abc", FIPS 180-2
	require.NoError(t, extract(archive, "lib/plugin.so", filepath.Join(dir, "a.so"), sum))
	require.ErrorContains(t, extract(archive, "lib/plugin.so", filepath.Join(dir, "b.so"), "00"), "want 00")
	require.ErrorContains(t, extract(archive, "lib/none.so", filepath.Join(dir, "c.so"), sum), "lib/none.so")
}
