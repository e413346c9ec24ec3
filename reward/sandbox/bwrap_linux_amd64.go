package sandbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// nobody is the user and group inside.
const nobody = 65534

// bubblewrap is a way to confine programs that has been tried on this machine.
type bubblewrap struct {
	path string
	// drop: the caller is root. The kernel does not count root's processes against their limit, so the program must run as another
	// user of the machine, nobody, in a user namespace in which both root and nobody are mapped; setpriv makes the step between the two.
	drop    bool
	setpriv []Mount // the program setpriv and its libraries
}

func find() (*bubblewrap, error) {
	program, err := exec.LookPath("bwrap")
	if err != nil {
		return nil, fmt.Errorf("%w: bubblewrap is not installed (no bwrap in PATH); install the package bubblewrap: apt-get install bubblewrap, dnf install bubblewrap or apk add bubblewrap", ErrUnavailable)
	}
	tries := []*bubblewrap{{path: program}}
	if os.Getuid() == 0 {
		dropping := &bubblewrap{path: program, drop: true}
		if dropping.setpriv, err = Program("setpriv"); err != nil {
			return nil, fmt.Errorf("%w: setpriv (package util-linux), which root needs: %w", ErrUnavailable, err)
		}
		// Root of a container without further users cannot map nobody; it is no root to the kernel either.
		tries = slices.Insert(tries, 0, dropping)
	}
	var failed []error
	for _, b := range tries {
		if err := b.try(); err != nil {
			failed = append(failed, err)
			continue
		}
		return b, nil
	}
	return nil, fmt.Errorf("%w: %s cannot confine a program here (are user namespaces allowed?): %w", ErrUnavailable, program, errors.Join(failed...))
}

// try runs a shell that nests 20 processes where 10 are allowed: the limit that kernels and containers differ in most.
func (b *bubblewrap) try() error {
	shell, err := Program("sh")
	if err != nil {
		return err
	}
	const script = `f() { if [ $1 -gt 20 ]; then echo unlimited; else ( f $(($1+1)); : ); fi; }; echo started; f 1`
	limits := Limits{Processes: 10, Wall: 10 * time.Second}.withDefaults()
	r, err := b.run(context.Background(), Spec{Argv: []string{shell[0].Target, "-c", script}, Mounts: shell, Limits: limits})
	if err != nil {
		return err
	}
	out := string(r.Stdout)
	switch {
	case r.Stopped() != "" || !strings.HasPrefix(out, "started\n"):
		return fmt.Errorf("a shell in the sandbox did not start: exit status %d, %q", r.ExitCode, r.Stderr)
	case strings.Contains(out, "unlimited"):
		return errors.New("the number of processes cannot be limited")
	}
	return nil
}

// arguments of bwrap, up to the program's. The descriptors' numbers are those in the child; files has one for each of names(spec.Files).
func (b *bubblewrap) arguments(spec Spec, seccomp, info, block int, files []int) []string {
	args := []string{"--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--new-session",
		"--hostname", "sandbox", "--clearenv"}
	if b.drop {
		args = append(args, "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
	} else {
		args = append(args, "--unshare-user", "--uid", strconv.Itoa(nobody), "--gid", strconv.Itoa(nobody), "--cap-drop", "ALL")
	}
	for _, name := range names(spec.Env) {
		args = append(args, "--setenv", name, spec.Env[name])
	}
	// Only what is named here exists. /dev has four devices; there is no /proc and no /sys.
	made := map[string]bool{"/": true}
	var parents func(string)
	parents = func(target string) { // those that bwrap makes itself are for root alone
		dir := path.Dir(target)
		if made[dir] {
			return
		}
		made[dir] = true
		parents(dir)
		args = append(args, "--dir", dir)
	}
	parents("/dev/null")
	for _, device := range []string{"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"} {
		args = append(args, "--dev-bind", device, device)
	}
	mounts := spec.Mounts
	if b.drop {
		mounts = slices.Concat(b.setpriv, mounts)
	}
	seen := map[Mount]bool{}
	for _, m := range mounts {
		if !seen[m] {
			seen[m] = true
			parents(m.Target)
			if m.Source == "" {
				args = append(args, "--perms", "0555", "--size", "4096", "--tmpfs", m.Target, "--remount-ro", m.Target)
			} else {
				args = append(args, "--ro-bind", m.Source, m.Target)
			}
		}
	}
	args = append(args, "--perms", "1777", "--size", strconv.FormatInt(spec.Limits.Disk, 10), "--tmpfs", "/tmp")
	made["/tmp"] = true
	for i, name := range names(spec.Files) {
		parents(name)
		args = append(args, "--perms", "0555", "--ro-bind-data", strconv.Itoa(files[i]), name)
	}
	args = append(args, "--chdir", "/tmp", "--remount-ro", "/", "--seccomp", strconv.Itoa(seccomp), "--info-fd", strconv.Itoa(info), "--block-fd", strconv.Itoa(block), "--")
	if b.drop {
		id := strconv.Itoa(nobody)
		args = append(args, b.setpriv[0].Target, "--reuid", id, "--regid", id, "--clear-groups", "--inh-caps=-all", "--")
	}
	return append(args, spec.Argv...)
}

// attributes of the bwrap process.
func (b *bubblewrap) attributes() *syscall.SysProcAttr {
	if !b.drop {
		return &syscall.SysProcAttr{Setpgid: true}
	}
	ids := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}, {ContainerID: nobody, HostID: nobody, Size: 1}}
	return &syscall.SysProcAttr{Setpgid: true, Cloneflags: syscall.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids, GidMappingsEnableSetgroups: true}
}

func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
