package configs

import "time"

// Settings are the program's own settings: where its state lives, which Temporal, S3 and device it uses, how it logs. What is
// trained stands in a pipeline, not here. An empty address or endpoint means the embedded server.
type Settings struct {
	// Dir holds the embedded servers' data, caches and logs.
	Dir      string   `yaml:"dir" json:"dir" validate:"required"`
	Temporal Temporal `yaml:"temporal" json:"temporal"`
	S3       S3       `yaml:"s3" json:"s3"`
	XLA      XLA      `yaml:"xla" json:"xla"`
	Worker   Worker   `yaml:"worker" json:"worker"`
	Serve    Serve    `yaml:"serve" json:"serve"`
	Log      Log      `yaml:"log" json:"log"`
}

// Temporal says which server runs the workflows.
type Temporal struct {
	Address   string      `yaml:"address" json:"address" validate:"omitempty,hostname_port"` // host:port; empty: embedded
	Namespace string      `yaml:"namespace" json:"namespace" validate:"required"`
	APIKey    Secret      `yaml:"api_key" json:"api_key"`
	Port      int         `yaml:"port" json:"port" validate:"gte=0,lte=65535"`       // of the embedded server; 0: any free one
	UIPort    int         `yaml:"ui_port" json:"ui_port" validate:"gte=0,lte=65535"` // of the embedded UI; 0: any free one
	TLS       TemporalTLS `yaml:"tls" json:"tls"`
}

// TemporalTLS holds paths of PEM files; Cert and Key come together.
type TemporalTLS struct {
	Enabled    bool   `yaml:"enabled" json:"enabled"`
	CA         string `yaml:"ca" json:"ca"`
	Cert       string `yaml:"cert" json:"cert" validate:"required_with=Key"`
	Key        string `yaml:"key" json:"key" validate:"required_with=Cert"`
	ServerName string `yaml:"server_name" json:"server_name"`
}

// S3 says which object store keeps the artifacts.
type S3 struct {
	Endpoint     string `yaml:"endpoint" json:"endpoint" validate:"omitempty,excludesall= "` // host or host:port, without a scheme; empty: embedded
	AccessKey    string `yaml:"access_key" json:"access_key" validate:"required_with=SecretKey"`
	SecretKey    Secret `yaml:"secret_key" json:"secret_key" validate:"required_with=AccessKey"`
	SessionToken Secret `yaml:"session_token" json:"session_token"`
	Region       string `yaml:"region" json:"region" validate:"required"`
	Bucket       string `yaml:"bucket" json:"bucket" validate:"required,min=3,max=63"`
	Prefix       string `yaml:"prefix" json:"prefix"` // of every object name
	TLS          bool   `yaml:"tls" json:"tls"`
	Port         int    `yaml:"port" json:"port" validate:"gte=0,lte=65535"`                                 // of the embedded store; 0: any free one
	Encryption   string `yaml:"encryption" json:"encryption" validate:"omitempty,oneof=sse-s3 sse-kms"`      // that the store is asked for; empty: what the bucket does by itself
	KMSKey       string `yaml:"kms_key" json:"kms_key"`                                                      // of sse-kms; empty: the store's
	LockMode     string `yaml:"lock_mode" json:"lock_mode" validate:"omitempty,oneof=governance compliance"` // retains blobs and manifests for lock_days; empty: what the bucket does by itself
	LockDays     int    `yaml:"lock_days" json:"lock_days" validate:"gte=0,lte=36500"`                       // with lock_mode
	Cache        string `yaml:"cache" json:"cache"`                                                          // folder of files read from a store elsewhere; empty: the user's cache folder
	CacheMB      int    `yaml:"cache_mb" json:"cache_mb" validate:"gte=0"`                                   // how much of them it keeps for the next time; 0: none
}

// XLA says which compiler plugin runs the tensors.
type XLA struct {
	Plugin  string `yaml:"plugin" json:"plugin"`                      // path of the PJRT plugin; empty: the one in the cache
	Cache   string `yaml:"cache" json:"cache"`                        // folder of plugins and compiled programs; empty: the user's cache folder
	CacheMB int    `yaml:"cache_mb" json:"cache_mb" validate:"gte=0"` // how much of compiled programs it keeps; 0: none, every start compiles
	// FlashAttention uses cuDNN's fused attention for steps in half precision on CUDA; other devices refuse it.
	FlashAttention bool `yaml:"flash_attention" json:"flash_attention"`
	// TF32 lets CUDA multiply float32 arrays in TensorFloat-32: several times as fast, with 10 bits after the point where float32 has 23. Other devices refuse it.
	TF32 bool `yaml:"tf32" json:"tf32"`
	// Deterministic asks a GPU for the same bits in every run; the CPU gives them anyway.
	Deterministic bool           `yaml:"deterministic" json:"deterministic"`
	Options       map[string]any `yaml:"options" json:"options"` // of the plugin's client, such as preallocate: false
}

// Worker says what this process works on.
type Worker struct {
	Queues []string      `yaml:"queues" json:"queues" validate:"required,min=1,unique,dive,required"`
	Slots  Slots         `yaml:"slots" json:"slots"`
	Health string        `yaml:"health" json:"health" validate:"omitempty,hostname_port"` // address of the health page; empty: none
	Drain  time.Duration `yaml:"drain" json:"drain" validate:"gte=0"`                     // how long running activities may take to end on SIGTERM
	// Deployment names the fleet that this worker belongs to, for upgrades during runs (Temporal's worker versioning); empty: none. Build names
	// the program in it; empty: the program's version.
	Deployment string `yaml:"deployment" json:"deployment" validate:"omitempty,max=100,excludesall=.:/ "`
	Build      string `yaml:"build" json:"build" validate:"omitempty,max=100,excludesall=:/ "`
}

// Slots are how many activities of each queue run at once in this process.
type Slots struct {
	Light int `yaml:"light" json:"light" validate:"gte=1,lte=1000"`
	CPU   int `yaml:"cpu" json:"cpu" validate:"gte=0,lte=1000"` // 0: one a processor core
	GPU   int `yaml:"gpu" json:"gpu" validate:"gte=1,lte=64"`
}

// Serve says how temper serve answers.
type Serve struct {
	Listen  string        `yaml:"listen" json:"listen" validate:"required,hostname_port"`
	APIKey  Secret        `yaml:"api_key" json:"api_key"`                      // that requests must bear; empty: none
	Batch   int           `yaml:"batch" json:"batch" validate:"gte=1,lte=512"` // sequences that are generated at once, rounded up to a power of two
	Waiting int           `yaml:"waiting" json:"waiting" validate:"gte=1"`     // sequences that wait for their turn at most
	Context int           `yaml:"context" json:"context" validate:"gte=2"`     // tokens of a sequence at most, prompt included; the model's where that is less
	Drain   time.Duration `yaml:"drain" json:"drain" validate:"gte=0"`         // how long answers under way may take to end on SIGTERM
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level" json:"level" validate:"oneof=debug info warn error"`
	Format string `yaml:"format" json:"format" validate:"oneof=text json"`
}

// Default returns the settings before any file, variable or flag.
func Default() Settings {
	return Settings{
		Dir:      ".temper",
		Temporal: Temporal{Namespace: "temper", Port: 7233, UIPort: 8233},
		S3:       S3{Region: "us-east-1", Bucket: "temper", Port: 9000, CacheMB: 8192},
		XLA:      XLA{CacheMB: 1024},
		Worker: Worker{
			Queues: []string{"temper", "temper-cpu", "temper-gpu"},
			Slots:  Slots{Light: 8, GPU: 1},
			Drain:  30 * time.Second,
		},
		Serve: Serve{Listen: "127.0.0.1:8000", Batch: 16, Waiting: 256, Context: 4096, Drain: 30 * time.Second},
		Log:   Log{Level: "info", Format: "text"},
	}
}
