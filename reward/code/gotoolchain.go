package code

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"temper/reward/sandbox"
)

// answerPackages are what an answer in Go may import: they compute and print, and give no way to a file descriptor, to memory by address or to the
// process. That keeps the report, which the tests' program alone writes, out of the answer's reach.
var answerPackages = words(`bufio bytes cmp container/heap container/list container/ring context crypto/md5 crypto/sha1 crypto/sha256 crypto/sha512
	encoding/base32 encoding/base64 encoding/binary encoding/csv encoding/hex encoding/json errors fmt hash hash/adler32 hash/crc32 hash/crc64 hash/fnv hash/maphash
	html index/suffixarray io iter maps math math/big math/bits math/cmplx math/rand math/rand/v2 path regexp regexp/syntax slices sort strconv strings sync
	sync/atomic text/tabwriter text/template time unicode unicode/utf16 unicode/utf8`)

// testPackages are what tests in Go may import beside them.
var testPackages = words(`os reflect runtime testing testing/iotest testing/quick`)

func words(s string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(s) {
		m[w] = true
	}
	return m
}

// toolchain is the machine's Go as the sandbox sees it.
type toolchain struct {
	mounts []sandbox.Mount
	config string // the compiler's and linker's import configuration
	shell  string
}

// findToolchain has the standard library compiled once, by go list, and keeps it in the user's cache folder.
var findToolchain = sync.OnceValues(func() (*toolchain, error) {
	out, err := goCommand("env", "GOTOOLDIR", "GOVERSION", "GOARCH")
	if err != nil {
		return nil, err
	}
	env := strings.Split(strings.TrimSpace(out), "\n")
	if len(env) != 3 {
		return nil, fmt.Errorf("go env: %q is not what was asked for", out)
	}
	list := []string{"list", "-export", "-deps", "-f", "{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}", "testing/internal/testdeps"}
	for _, set := range []map[string]bool{answerPackages, testPackages} {
		for p := range set {
			list = append(list, p)
		}
	}
	if out, err = goCommand(list...); err != nil {
		return nil, err
	}
	library, config, err := keepLibrary(env[1]+"-"+env[2], strings.Fields(out))
	if err != nil {
		return nil, err
	}
	shell, err := sandbox.Program("sh")
	if err != nil {
		return nil, err
	}
	cat, err := sandbox.Program("cat")
	if err != nil {
		return nil, err
	}
	t := &toolchain{config: config, shell: shell[0].Target}
	cat[0].Target = "/go/cat"
	t.mounts = append(append(shell, cat...), sandbox.Mount{Source: library, Target: "/go/library"},
		sandbox.Mount{Source: filepath.Join(env[0], "compile"), Target: "/go/compile"}, sandbox.Mount{Source: filepath.Join(env[0], "link"), Target: "/go/link"})
	return t, nil
})

// goCommand runs the trusted go command outside of any module.
func goCommand(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GO111MODULE=on", "GOWORK=off", "CGO_ENABLED=0", "GOFLAGS=-trimpath", "GOTOOLCHAIN=local")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("the Go toolchain, which answers in Go are compiled with: go %s: %w %s", args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// keepLibrary copies compiled packages, each "path=file", to one folder, since Go's own cache is trimmed and would have to be shown file by file.
func keepLibrary(version string, packages []string) (folder, config string, err error) {
	var text strings.Builder
	for _, p := range packages {
		path, file, _ := strings.Cut(p, "=")
		fmt.Fprintf(&text, "packagefile %s=/go/library/%s\n", path, filepath.Base(file))
	}
	config = text.String()
	sum := sha256.Sum256([]byte(config)) // Go names the files by their content
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", "", err
	}
	cache = filepath.Join(cache, "temper", "go")
	folder = filepath.Join(cache, version+"-"+hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(folder); err == nil {
		return folder, config, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", "", err
	}
	part, err := os.MkdirTemp(cache, "part-")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(part)
	for _, p := range packages {
		_, file, _ := strings.Cut(p, "=")
		if err := copyFile(file, filepath.Join(part, filepath.Base(file))); err != nil {
			return "", "", err
		}
	}
	if err := os.Chmod(part, 0o755); err != nil {
		return "", "", err
	}
	if err := os.Rename(part, folder); err != nil {
		if _, other := os.Stat(folder); other != nil { // else another process was faster
			return "", "", err
		}
	}
	return folder, config, nil
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, r); err != nil {
		w.Close()
		return err
	}
	return w.Close()
}
