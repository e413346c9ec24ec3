package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// strike lets a fault happen once, and mends what does not mend itself.
type strike func(ctx context.Context, s *stand, r *rand.Rand) error

// fault is something that happens to a run, again and again, at random moments.
type fault struct {
	name   string
	on     func(context.Context, *chaos, string) (*stand, error)
	mean   time.Duration // between one and the next
	share  float64       // of the times asked for
	strike strike
}

// errMissed is a fault that found nothing to strike; it does not count.
var errMissed = errors.New("missed")

// faults are the rows of the table.
var faults = []fault{
	{"kill -9 of everything", together, 5 * time.Second, 1, killAll},
	{"kill -9 of a worker", apart, 6 * time.Second, 0.4, killWorker},
	{"kill -9 of the Temporal server", apart, 5 * time.Second, 0.4, killNamed("server")},
	{"kill -9 of the S3 store", apart, 4 * time.Second, 0.4, killNamed("s3")},
	{"kill -9 of all processes at once", apart, 8 * time.Second, 0.4, killAll},
	{"a worker that hangs, and comes back", apart, 6 * time.Second, 0.1, hang},
	{"S3 errors, lost and cut answers", apart, 2 * time.Second, 0.4, spoilStore},
	{"S3 slow by up to 2 s", apart, 2 * time.Second, 0.2, slowStore},
	{"a full disk below the servers", onSmallDisk, 4 * time.Second, 0.2, fillDisk},
	{"a damaged snapshot", together, 4 * time.Second, 0.3, damageSnapshot},
	{"a clock that jumps by up to 2 h, Temporal's by 1 min", apart, 4 * time.Second, 0.2, jumpClock},
	{"a worker without more memory", apart, 4 * time.Second, 0.2, starve},
	{"a reward that throws, hangs, is NaN, one of three, or gone", apart, 2 * time.Second, 0.3, failJudge},
	{"all of these at once", apart, 5 * time.Second, 1, func(ctx context.Context, s *stand, r *rand.Rand) error {
		return pick(r, []strike{killWorker, killWorker, killNamed("server"), killNamed("s3"), killAll, spoilStore, slowStore, damageSnapshot, jumpClock, starve, failJudge})(ctx, s, r)
	}},
}

func hit(struck bool) error {
	if !struck {
		return errMissed
	}
	return nil
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func killAll(_ context.Context, s *stand, _ *rand.Rand) error { return hit(kill(s.processes...)) }

func killNamed(name string) strike {
	return func(_ context.Context, s *stand, _ *rand.Rand) error { return hit(kill(s.named(name))) }
}

// spoilStore spoils a part of the store's answers for some seconds.
func spoilStore(ctx context.Context, s *stand, r *rand.Rand) error {
	before := s.proxy.spoilt.Load()
	s.proxy.hold(ctx, 0.3, 0, time.Duration(1+r.IntN(3))*time.Second)
	return hit(s.proxy.spoilt.Load() > before)
}

// slowStore delays the store's answers for some seconds.
func slowStore(ctx context.Context, s *stand, r *rand.Rand) error {
	s.proxy.hold(ctx, 0, 2*time.Second, time.Duration(2+r.IntN(4))*time.Second)
	return nil
}

func killWorker(_ context.Context, s *stand, r *rand.Rand) error {
	return hit(kill(pick(r, s.workers)))
}

// hang stops a worker for longer than its heartbeat timeout, so that the other one takes over what it did; then it goes on as if nothing had been.
func hang(ctx context.Context, s *stand, r *rand.Rand) error {
	p := pick(r, s.workers)
	if !p.signal(syscall.SIGSTOP) {
		return errMissed
	}
	defer p.signal(syscall.SIGCONT)
	select {
	case <-ctx.Done(): // the run has ended without it
	case <-time.After(20 * time.Second):
	}
	return nil
}

// jumpClock sets the wall clock of a process wrong for some seconds, as before a correction by NTP. Temporal's server never lets its timers go back: they
// wait for as long as its clock was ahead.
func jumpClock(ctx context.Context, s *stand, r *rand.Rand) error {
	p, most := pick(r, s.processes), 7200
	if p.name == "server" {
		most = 60
	}
	pid := p.pid()
	if pid == 0 {
		return errMissed
	}
	c, err := openClock(pid)
	if errors.Is(err, errLeftOut) {
		return err
	}
	if err != nil {
		return errMissed // the process has just ended
	}
	if err := c.jump(time.Duration(1+r.IntN(most)) * time.Second * time.Duration(1-2*r.IntN(2))); err != nil {
		return errMissed
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(2+r.IntN(4)) * time.Second):
	}
	_ = c.jump(0) // it may have ended meanwhile
	return nil
}

// starve lets a worker have no more memory than it has, for less time than it takes to cut its micro-batches: what does not fit is tried again as it
// is, in the same process or in the next one where the worker dies of it.
func starve(ctx context.Context, s *stand, r *rand.Rand) error {
	pid := pick(r, s.workers).pid()
	if pid == 0 {
		return errMissed
	}
	var old unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, nil, &old); err != nil {
		return errMissed
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: 0, Max: old.Max}, nil); err != nil {
		return errMissed
	}
	select {
	case <-ctx.Done():
	case <-time.After(2 * time.Second):
	}
	_ = unix.Prlimit(pid, unix.RLIMIT_DATA, &old, nil) // it may have ended meanwhile
	return nil
}

// fillDisk writes until nothing more fits on the servers' file system, for some seconds.
func fillDisk(ctx context.Context, s *stand, r *rand.Rand) error {
	path := filepath.Join(s.small, "ballast")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer os.Remove(path)
	block := make([]byte, 1<<16)
	for err == nil {
		_, err = f.Write(block)
	}
	if err := f.Close(); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(2+r.IntN(4)) * time.Second):
	}
	return nil
}

// damageSnapshot changes or cuts the weights, or the optimizer's moments, of the newest snapshot that is no model yet, then kills the workers, so that the next one has to read it.
func damageSnapshot(ctx context.Context, s *stand, r *rand.Rand) error {
	store, err := s.store(ctx)
	if err != nil {
		return errMissed // the store is being killed
	}
	models := map[string]bool{} // the last snapshot of a stage and its model are the same bytes
	for entry, err := range store.List(ctx, "model") {
		if err != nil {
			return errMissed
		}
		for _, f := range entry.Manifest.Files {
			models[f.Digest] = true
		}
	}
	var newest time.Time
	var digest string
	for entry, err := range store.List(ctx, "state") {
		if err != nil {
			return errMissed
		}
		for _, f := range entry.Manifest.Files {
			if strings.HasSuffix(f.Path, ".safetensors") && !models[f.Digest] && !entry.Manifest.Created.Before(newest) {
				newest, digest = entry.Manifest.Created, f.Digest
			}
		}
	}
	if digest == "" {
		return errMissed
	}
	path, err := s.blob(digest)
	if err != nil {
		return err
	}
	if err := damage(path, r); err != nil {
		return err
	}
	return hit(kill(s.workers...))
}

// blob finds the file in which the built-in store keeps a blob.
func (s *stand) blob(digest string) (string, error) {
	found, err := filepath.Glob(filepath.Join(s.disk, "data", bucket, "blobs", "sha256", "*", "*"))
	for _, path := range found {
		if strings.ReplaceAll(strings.TrimPrefix(path, filepath.Join(s.disk, "data", bucket, "blobs", "sha256")), "/", "") == digest {
			return path, nil
		}
	}
	return "", fmt.Errorf("blob %s is not in %s: %w", digest, s.disk, errors.Join(err, errMissed))
}

// damage flips a bit of a file, or cuts its end off. The change is made in place, as a disk would make it.
func damage(path string, r *rand.Rand) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if r.IntN(2) == 0 {
		return os.Truncate(path, info.Size()/2)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	at := r.Int64N(info.Size())
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return err
	}
	b[0] ^= 1 << r.IntN(8)
	_, err = f.WriteAt(b[:], at)
	return err
}
