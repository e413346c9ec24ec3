package sandbox

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Program finds a program of this machine, by name or path, and gives the mounts that it needs: first itself, then the loader and the shared
// libraries of it and of the extra files (plug-ins that it loads later). The file is shown at the path it was found under.
func Program(name string, extra ...string) ([]Mount, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	file, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	mounts := []Mount{{file, path}}
	libraries, err := libraries(append([]string{file}, extra...))
	if err != nil {
		return nil, err
	}
	for _, l := range libraries {
		real, err := filepath.EvalSymlinks(l)
		if err != nil {
			return nil, err
		}
		mounts = append(mounts, Mount{real, l})
	}
	return mounts, nil
}

// libraries lists the loader and the shared libraries of trusted programs, with what the loader itself says.
func libraries(files []string) ([]string, error) {
	loader, err := interpreter(files[0])
	if err != nil || loader == "" {
		return nil, err
	}
	found := []string{loader}
	for _, f := range files {
		// ldd is this, in a shell script.
		list := exec.Command(loader, f)
		list.Env = append(os.Environ(), "LD_TRACE_LOADED_OBJECTS=1")
		var stderr bytes.Buffer
		list.Stderr = &stderr
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("the libraries of %s: %w: %s", f, err, bytes.TrimSpace(stderr.Bytes()))
		}
		for line := range strings.Lines(string(out)) {
			fields := strings.Fields(line)
			if i := slices.Index(fields, "=>"); i >= 0 && i+1 < len(fields) && filepath.IsAbs(fields[i+1]) {
				found = append(found, fields[i+1])
			}
		}
	}
	slices.Sort(found[1:])
	return slices.Compact(found), nil
}

// interpreter is the loader that a program names, "" for a static one.
func interpreter(file string) (string, error) {
	f, err := elf.Open(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, p.Filesz)
			if _, err := p.ReadAt(b, 0); err != nil {
				return "", fmt.Errorf("%s: %w", file, err)
			}
			return strings.TrimRight(string(b), "\x00"), nil
		}
	}
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_DYNAMIC }) && f.Type == elf.ET_EXEC {
		return "", errors.New(file + ": a dynamic program without a loader")
	}
	return "", nil
}
