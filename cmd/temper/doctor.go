package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"temper/configs"
	"temper/device"
	"temper/device/plugin"
	"temper/reward/sandbox"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{Use: "doctor", Short: "Check what runs on this machine need", Args: arguments(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error { return a.doctor(c.Context()) }}
}

// finding is one line of the doctor's.
type finding struct {
	name, text string
	err        error
}

func (a *app) doctor(ctx context.Context) error {
	s, err := a.settings()
	found := []finding{{"go", fmt.Sprintf("%s on %s/%s, %d processors, temper %s", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), codeVersion()), nil},
		{"settings", "read", err}, checkSandbox()}
	if err == nil {
		found = append(found, checkFolder(s.Dir), checkPlugin(s.XLA))
		found = append(found, checkServers(ctx, s)...)
	}
	wrong := 0
	for _, f := range found {
		mark, text := "ok  ", f.text
		if f.err != nil {
			mark, text = "FAIL", strings.ReplaceAll(f.err.Error(), "\n", "\n"+strings.Repeat(" ", 16))
			wrong++
		}
		fmt.Fprintf(a.out, "%s  %-9s %s\n", mark, f.name, text)
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d checks failed", wrong, len(found))
	}
	return nil
}

// checkSandbox says whether programs can be judged, which most runs do without.
func checkSandbox() finding {
	if err := sandbox.Check(); err != nil {
		return finding{"sandbox", "not at hand, so only programs in Python can be judged, those that can be said in Starlark: " + err.Error(), nil}
	}
	return finding{"sandbox", "bubblewrap confines programs here", nil}
}

// checkFolder tries to write where the data folder is or would be.
func checkFolder(dir string) finding {
	at := dir
	for {
		if _, err := os.Stat(at); err == nil || filepath.Dir(at) == at {
			break
		}
		at = filepath.Dir(at)
	}
	f, err := os.CreateTemp(at, ".temper-doctor-")
	if err != nil {
		return finding{"dir", "", fmt.Errorf("dir: cannot write in %s: %w", at, err)}
	}
	err = errors.Join(f.Close(), os.Remove(f.Name()))
	text := dir
	if at != dir {
		text += " (to be made)"
	}
	kind, free, diskErr := disk(at)
	if diskErr == nil {
		text += fmt.Sprintf(", %s, %s free", kind, size(free))
	}
	if networked[kind] {
		err = errors.Join(err, fmt.Errorf("dir: %s is on a network file system (%s), on which the built-in database is not safe", dir, kind))
	}
	return finding{"dir", text, err}
}

// networked file systems do not keep SQLite's promises.
var networked = map[string]bool{"nfs": true, "cifs": true, "smb": true}

// checkPlugin loads the plugin and asks the device for its name.
func checkPlugin(s configs.XLA) finding {
	path, err := plugin.Find(s.Plugin, s.Cache)
	if err != nil {
		return finding{"plugin", "", err}
	}
	began := time.Now()
	c, err := device.Open(path, device.Options{Create: s.Options})
	if err != nil {
		return finding{"plugin", "", err}
	}
	defer c.Close()
	return finding{"plugin", fmt.Sprintf("%s: %s (opened in %s)", path, c.Description(), took(time.Since(began))), nil}
}

// checkServers reaches the servers in use, or finds out whether built-in ones could start.
func checkServers(ctx context.Context, s configs.Settings) []finding {
	log := slog.New(slog.DiscardHandler)
	if elsewhere(s) {
		t, err := dialTemporal(ctx, s.Temporal, log)
		if t != nil {
			err = checkAttributes(ctx, t, s.Temporal.Namespace)
			t.Close()
		}
		_, storeErr := openStore(ctx, s.S3)
		return []finding{{"temporal", fmt.Sprintf("%s, namespace %s", s.Temporal.Address, s.Temporal.Namespace), err},
			{"s3", fmt.Sprintf("%s, bucket %s", s.S3.Endpoint, s.S3.Bucket), storeErr}}
	}
	c, err := find(ctx, s, log)
	switch {
	case err != nil:
		return []finding{{"servers", "", err}}
	case c != nil:
		text := fmt.Sprintf("run in temper %s (process %d), UI %s", c.owner.Command, c.owner.PID, c.ui)
		return []finding{{"servers", text, c.Close()}}
	}
	return []finding{{"ports", fmt.Sprintf("free: Temporal %d, UI %d, S3 %d (0: any)", s.Temporal.Port, s.Temporal.UIPort, s.S3.Port), checkPorts(s)}}
}
