package sandbox

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Interpreter is a Python of this machine as a sandbox sees it, below /python: the program, its standard library and the shared libraries
// that the two need. Installed packages are not shown.
type Interpreter struct {
	Argv   []string // the program with the flags that keep it from looking for more
	Env    map[string]string
	Mounts []Mount
}

// leave out modules that need libraries of the desktop or the terminal.
var skipped = []string{"_tkinter", "_curses", "_curses_panel", "readline", "nis", "_dbm", "_gdbm", "ossaudiodev", "_test", "_xx", "xx"}

// Python looks for python3 and asks it where its library is.
func Python() (Interpreter, error) {
	const about = `import json, os, sys, sysconfig
print(json.dumps({"program": os.path.realpath(getattr(sys, "_base_executable", sys.executable)), "library": sysconfig.get_path("stdlib"),
  "lib": getattr(sys, "platlibdir", "lib"), "version": list(sys.version_info[:2])}))`
	out, err := exec.Command("python3", "-I", "-c", about).Output()
	if err != nil {
		return Interpreter{}, fmt.Errorf("python3: %w", err)
	}
	var p struct {
		Program, Library, Lib string
		Version               []int
	}
	if err := json.Unmarshal(out, &p); err != nil {
		return Interpreter{}, fmt.Errorf("python3: what it says about itself: %w", err)
	}
	if p.Version[0] != 3 || p.Version[1] < 8 {
		return Interpreter{}, fmt.Errorf("python3 is %d.%d; 3.8 or later is needed", p.Version[0], p.Version[1])
	}
	plugins, err := filepath.Glob(filepath.Join(p.Library, "lib-dynload", "*.so"))
	if err != nil {
		return Interpreter{}, err
	}
	plugins = slices.DeleteFunc(plugins, func(f string) bool {
		return slices.ContainsFunc(skipped, func(s string) bool { return strings.HasPrefix(filepath.Base(f), s) })
	})
	mounts, err := Program(p.Program, plugins...)
	if err != nil {
		return Interpreter{}, err
	}
	name := fmt.Sprintf("python%d.%d", p.Version[0], p.Version[1])
	in := Interpreter{Argv: []string{"/python/bin/" + name, "-I", "-S", "-B", "-X", "utf8"}, Env: map[string]string{"LD_LIBRARY_PATH": "/python/shared"}}
	library := path.Join("/python", p.Lib, name)
	in.Mounts = append(in.Mounts, Mount{mounts[0].Source, in.Argv[0]}, Mount{p.Library, library})
	for _, packages := range []string{"site-packages", "dist-packages"} {
		if found, _ := filepath.Glob(filepath.Join(p.Library, packages)); len(found) > 0 {
			in.Mounts = append(in.Mounts, Mount{"", path.Join(library, packages)})
		}
	}
	for _, m := range mounts[1:] {
		if !strings.HasPrefix(m.Target, "/lib") && !strings.HasPrefix(m.Target, "/usr/lib") {
			m.Target = path.Join("/python/shared", filepath.Base(m.Target)) // its own place may be a user's folder
		}
		in.Mounts = append(in.Mounts, m)
	}
	return in, nil
}
