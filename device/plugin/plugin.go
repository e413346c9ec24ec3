// Package plugin finds the XLA plugin (a PJRT shared library) or installs it: the CPU plugin comes as a Python wheel through the pip
// client, pinned by hash. It may import the standard library only.
package plugin

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// wheel is one published package that carries the plugin.
type wheel struct {
	Package, Version string
	WheelSHA256      string
	Member           string // the library inside the wheel
	LibrarySHA256    string
}

// wheels are tried in this order; all are builds of XLA's CPU client for Linux x86-64.
var wheels = []wheel{
	{"lammps-jax-pjrt-cpu", "0.11.2", "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
		"lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so", "ad1309ac822b1b24d51b7f9947c7c9fa9ef5d67f390584cbc3d1fa2428fed9c2"},
	{"fastatomstruct-xla-cpu", "2026.6.23", "88b1c430b341b4bea40a37420311c9c75db6e22b46d2ff95b6986577bee6afe9",
		"fastatomstruct_xla_cpu/libpjrt_cpu.so", "0a0fe56ca17be9efc7b942e89e534e5e0ad4a0f1e369b66d27b62184509015b9"},
	{"xla-cpu-pjrt", "0.0.1", "55837b6b7b47daa717f2d9a5a03563ea0ceaa338d06a81a1e2d3f060d960decc",
		"xla_plugins/xla_cpu_pjrt/xla_cpu_pjrt.so", "88c3f28c5900f48ad4a82cab9e79bba9537809743395e341485f8794268820dc"},
}

// ErrNotInstalled means that no plugin is in the cache; Install gets one.
var ErrNotInstalled = errors.New("the XLA plugin is not installed")

// libraryName is how the installed library is called inside its folder of the cache.
const libraryName = "pjrt_c_api_cpu_plugin.so"

// CacheDir is where plugins are kept: the user's cache folder, or override where given.
func CacheDir(override string) (string, error) {
	if override != "" {
		return override, nil
	}
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the user's cache folder (set xla.cache): %w", err)
	}
	return filepath.Join(base, "temper", "pjrt"), nil
}

// Find returns the plugin to load: the given path when it is set, else the newest pinned one in the cache.
func Find(path, cache string) (string, error) {
	if path != "" {
		if info, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("xla.plugin: %w", err)
		} else if info.IsDir() {
			return "", fmt.Errorf("xla.plugin: %s is a folder, want the shared library itself", path)
		}
		return filepath.Abs(path)
	}
	dir, err := CacheDir(cache)
	if err != nil {
		return "", err
	}
	var tried []string
	for _, w := range wheels {
		library := w.installed(dir)
		if _, err := os.Stat(library); err == nil {
			return library, nil
		}
		tried = append(tried, library)
	}
	return "", fmt.Errorf("%w; looked for %s. Run `make plugin` (it needs Python's pip), or name a PJRT library with xla.plugin (--set xla.plugin=/path/to/pjrt_c_api_cpu_plugin.so, or TEMPER_XLA_PLUGIN)",
		ErrNotInstalled, strings.Join(tried, ", "))
}

// installed is the library's path in the cache; its folder carries the hash, so another build never takes its place.
func (w wheel) installed(dir string) string {
	return filepath.Join(dir, fmt.Sprintf("%s-%s-%s", w.Package, w.Version, w.LibrarySHA256[:12]), libraryName)
}
