// Package device owns the accelerator: one XLA client a process, the programs compiled for it and the buffers that live on it.
// It knows nothing of language models. It may import gomlx, compute and go-xla; the work-arounds for their faults are in
// device/workaround.
package device

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"strings"
	"sync"

	"github.com/gomlx/go-xla/compute/xla"
	"github.com/gomlx/go-xla/pjrt"

	"temper/device/kernel"
	"temper/device/workaround"
)

// ErrNoPlugin is returned when no PJRT plugin file is there to load.
var ErrNoPlugin = errors.New("no XLA plugin")

// Client is the connection to one accelerator. It is safe for concurrent use; XLA runs one program at a time a device.
type Client struct {
	backend       *xla.Backend
	target        *workaround.Target // what programs are only compiled for, where the device is not there; or nil
	plugin        string
	kind          string
	deterministic bool
	flash         bool
	kernels       error      // why programs cannot call kernels, or nil
	cache         *codeCache // nil: every program is compiled

	log *slog.Logger

	mu       sync.Mutex
	compiled Compilations
	shapes   map[string]int // programs compiled, by name
}

// Compilations counts what the client has compiled so far.
type Compilations struct {
	Programs int
	Cached   int // of these, loaded from the cache
	Seconds  float64
	Bytes    int64 // of the device's memory that the greediest of them takes in a run
}

// Options say how a plugin is used.
type Options struct {
	Create     map[string]any // the plugin's own options, such as cpu_device_count: 2 or preallocate: false
	Cache      string         // folder that keeps the code of compiled programs; empty: none
	CacheBytes int64          // how much it keeps
	// Deterministic asks a GPU for operations that give the same bits each time, at some cost; a processor does so anyway. The first client of a
	// process decides: XLA reads its flags once.
	Deterministic bool
	// TF32 lets CUDA multiply float32 arrays in TensorFloat-32, which keeps 10 bits of the 23 after the point and is several times as fast; other
	// devices refuse it.
	TF32  bool
	Flash bool         // use the device's fused attention, in half precision on CUDA; refused elsewhere
	Log   *slog.Logger // says what is compiled; nil: nowhere
}

// Open loads the PJRT plugin at path (a shared library) and creates a client on its first device.
func Open(path string, o Options) (*Client, error) {
	if err := prepare(path, o); err != nil {
		return nil, err
	}
	create, err := createOptions(o.Create)
	if err != nil {
		return nil, err
	}
	xla.EnableAutoInstall(false)
	var backend *xla.Backend
	if len(create) > 0 {
		backend, err = xla.NewWithOptions(path, create)
	} else if backend, err = xla.NewWithOptions(path, pjrt.NamedValuesMap{"cpu_device_count": int64(1)}); err != nil {
		// Plugins for other devices refuse the CPU's option.
		backend, err = xla.NewWithOptions(path, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("load XLA plugin %s: %w", path, err)
	}
	kind, err := workaround.Kind(backend)
	if err != nil {
		backend.Finalize()
		return nil, fmt.Errorf("load XLA plugin %s: %w", path, err)
	}
	return newClient(&Client{backend: backend, plugin: path, kind: kind}, o)
}

// prepare checks what is checked before a plugin is loaded, and sets what its loading reads.
func prepare(path string, o Options) error {
	if path == "" {
		return fmt.Errorf("%w: no path given (xla.plugin)", ErrNoPlugin)
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%w: %s (xla.plugin): %w", ErrNoPlugin, path, err)
	}
	if o.Deterministic {
		return addFlag("--xla_gpu_deterministic_ops=true")
	}
	return nil
}

// newClient completes a client whose device is known.
func newClient(c *Client, o Options) (*Client, error) {
	c.log, c.shapes, c.deterministic = o.Log, map[string]int{}, o.Deterministic
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if o.TF32 && !c.backend.IsCUDA() {
		c.Close()
		return nil, errors.New("xla.tf32: this device has no TensorFloat-32; it is for CUDA")
	}
	c.backend.DotGeneralUseTF32 = o.TF32
	c.kernels = errors.New("kernels are for the CPU")
	if c.IsCPU() {
		c.kernels = kernel.Register(c.plugin)
	}
	if o.Cache != "" && o.CacheBytes > 0 && c.target == nil {
		if err := c.CacheCode(o.Cache, o.CacheBytes); err != nil {
			c.log.Warn("compiled programs are not cached", "error", err) // a read-only disk, say
		}
	}
	if o.Flash {
		fused, err := c.WithFlash()
		if err != nil {
			c.Close()
			return nil, err
		}
		return fused, nil
	}
	return c, nil
}

// addFlag puts a flag among those that XLA reads from its environment variable.
func addFlag(flag string) error {
	flags := os.Getenv("XLA_FLAGS")
	if strings.Contains(flags, flag) {
		return nil
	}
	return os.Setenv("XLA_FLAGS", strings.TrimSpace(flags+" "+flag))
}

// createOptions turns options into the types that PJRT knows.
func createOptions(options map[string]any) (pjrt.NamedValuesMap, error) {
	m := pjrt.NamedValuesMap{}
	for name, value := range options {
		switch v := value.(type) {
		case int:
			m[name] = int64(v)
		case float64:
			m[name] = float32(v)
		case string, bool, int64, float32:
			m[name] = v
		default:
			return nil, fmt.Errorf("xla.options.%s: %v is neither a number, a text nor true or false", name, value)
		}
	}
	return m, nil
}

// WithoutKernels is the same device for programs made of XLA's own operations alone, as every device but the CPU runs them.
func (c *Client) WithoutKernels() *Client {
	without := c.view()
	without.kernels = errors.New("kernels are switched off")
	return without
}

// view is the same device, counting its own compilations.
func (c *Client) view() *Client {
	return &Client{backend: c.backend, target: c.target, plugin: c.plugin, kind: c.kind, deterministic: c.deterministic, flash: c.flash, kernels: c.kernels, cache: c.cache, log: c.log,
		shapes: map[string]int{}}
}

// Devices is how many devices the client has.
func (c *Client) Devices() int { return c.backend.NumDevices() }

// Description names the device's model, the plugin's version and the kernels in use, for lineage records: equal descriptions compute equal bits.
func (c *Client) Description() string {
	text := c.backend.Description()
	if c.IsCPU() {
		if c.kernels != nil {
			return fmt.Sprintf("%s without kernels (%v)", text, c.kernels)
		}
		return text + " with " + kernel.ISA() + " kernels"
	}
	text = c.kind + ", " + text
	if c.deterministic {
		text += ", deterministic"
	}
	if c.backend.DotGeneralUseTF32 {
		text += " with TF32"
	}
	if c.flash {
		text += " with fused attention"
	}
	return text
}

// Kind is the device's model: "NVIDIA H100 80GB HBM3", or "cpu".
func (c *Client) Kind() string { return c.kind }

// Kernels says whether programs compiled for this client call kernels.
func (c *Client) Kernels() bool { return c.kernels == nil }

// IsCPU says whether the device is the host's own processor.
func (c *Client) IsCPU() bool { return c.kind == "cpu" }

// Compilations reports how many programs were compiled and how long that took.
func (c *Client) Compilations() Compilations {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.compiled
}

// manyShapes is how many programs of one name, each for other shapes, are a sign that shapes are not bucketed.
const manyShapes = 16

func (c *Client) count(p *Program) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.compiled.Programs++
	c.compiled.Seconds += p.CompileSeconds
	c.compiled.Bytes = max(c.compiled.Bytes, p.TotalBytes)
	if p.Cached {
		c.compiled.Cached++
	}
	c.log.Info("program ready", "program", p.Name, "seconds", math.Round(p.CompileSeconds*1e3)/1e3, "cached", p.Cached, "temporary_mb", p.TemporaryBytes>>20, "programs", c.compiled.Programs)
	kind := p.Name // what stands before the shapes: generate_b8_p16, extend b8 c64
	if end := strings.IndexAny(kind, "_ "); end > 0 {
		kind = kind[:end]
	}
	if c.shapes[kind]++; c.shapes[kind]%manyShapes == 0 {
		c.log.Warn("many programs differ in their shapes only: batches or lengths vary more than they should", "kind", kind, "programs", c.shapes[kind],
			"seconds", math.Round(c.compiled.Seconds), "newest", p.Name)
	}
}

// Close frees the client; programs and buffers made by it must not be used afterwards.
func (c *Client) Close() {
	c.backend.Finalize()
	if c.target != nil {
		c.target.Close()
	}
}
