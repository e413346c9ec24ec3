package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"temper/filecache"
)

// codeCache keeps the machine code of compiled programs in a folder, so that a later process loads what an earlier one compiled. A
// program's file is named by a digest of everything its code depends on, and begins with a digest of the code. The cache never makes a compilation fail:
// what it cannot read or write is compiled.
type codeCache struct {
	filecache.Folder
	target string
	log    *slog.Logger
}

// CacheCode keeps the code of compiled programs in dir, which only the user should be able to write to, within limit bytes: the
// programs used longest ago go first.
func (c *Client) CacheCode(dir string, limit int64) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("cache of compiled programs: %w", err)
	}
	c.cache = &codeCache{Folder: filecache.Folder{Dir: dir, Limit: limit}, target: c.platform(), log: c.log}
	return nil
}

// platform is what the machine code of a program depends on besides its source.
func (c *Client) platform() string {
	var plugin string
	if i, err := os.Stat(c.plugin); err == nil {
		plugin = fmt.Sprintf("%s %d %d", c.plugin, i.Size(), i.ModTime().UnixNano())
	}
	return strings.Join([]string{"1", plugin, c.Description(), processor(), fmt.Sprint(runtime.NumCPU()),
		os.Getenv("XLA_FLAGS"), os.Getenv("XLA_DEBUG_OPTIONS")}, "\n")
}

// processor is the model and the instruction sets of the first processor, as Linux lists them.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		if strings.TrimSpace(line) == "" {
			break
		}
		switch name, _, _ := strings.Cut(line, "\t"); name {
		case "vendor_id", "model name", "model", "flags", "Features":
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func (c *codeCache) path(source []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s", len(c.target), c.target)
	h.Write(source)
	return c.Path(hex.EncodeToString(h.Sum(nil)))
}

// get returns the code for a source, or nil.
func (c *codeCache) get(source []byte) []byte {
	path := c.path(source)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	digest, code := data[:min(len(data), sha256.Size)], data[min(len(data), sha256.Size):]
	if sum := sha256.Sum256(code); !bytes.Equal(digest, sum[:]) {
		c.log.Warn("a damaged compiled program is left out of the cache", "file", path)
		os.Remove(path)
		return nil
	}
	c.Use(filepath.Base(path))
	return code
}

func (c *codeCache) drop(source []byte) { os.Remove(c.path(source)) }

func (c *codeCache) put(source, code []byte) error {
	f, err := c.New()
	if err != nil {
		return err
	}
	sum := sha256.Sum256(code)
	if _, err = f.Write(append(sum[:], code...)); err != nil {
		f.Drop()
		return err
	}
	return f.Keep(filepath.Base(c.path(source)))
}
