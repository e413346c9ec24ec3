package s3_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"temper/artifact"
	"temper/artifact/s3"
)

// protector is a store that says what it does about protection, and notes what it is asked.
type protector struct {
	mu       sync.Mutex
	puts     map[string]http.Header // by key
	deletes  []string
	says     string // of the encryption of an object
	refuses  string // the code with which it refuses encryption
	unlocked bool
}

func (p *protector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := strings.TrimPrefix(r.URL.Path, "/bucket/")
	switch {
	case r.URL.Query().Has("object-lock"):
		if p.unlocked {
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `<Error><Code>ObjectLockConfigurationNotFoundError</Code><Message>none</Message></Error>`)
			return
		}
		fmt.Fprint(w, `<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>`)
	case r.Method == http.MethodPut:
		if p.refuses != "" && r.Header.Get("X-Amz-Server-Side-Encryption") != "" {
			w.WriteHeader(http.StatusNotImplemented)
			fmt.Fprintf(w, `<Error><Code>%s</Code><Message>no KMS here</Message></Error>`, p.refuses)
			return
		}
		p.puts[key] = r.Header.Clone()
		w.Header().Set("ETag", `"x"`)
	case r.Method == http.MethodHead:
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
		if p.says != "" {
			w.Header().Set("X-Amz-Server-Side-Encryption", p.says)
		}
	case r.Method == http.MethodDelete:
		p.deletes = append(p.deletes, key)
		w.WriteHeader(http.StatusNoContent)
	default:
		fmt.Fprint(w, `<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>`)
	}
}

func TestProtection(t *testing.T) {
	for _, c := range []struct {
		name   string
		store  *protector
		change func(*s3.Options)
		err    string
	}{
		{"SSE-S3", &protector{says: "AES256"}, func(o *s3.Options) { o.Encryption = s3.SSES3 }, ""},
		{"SSE-KMS", &protector{says: "aws:kms"}, func(o *s3.Options) { o.Encryption, o.KMSKey = s3.SSEKMS, "my-key" }, ""},
		{"refused", &protector{refuses: "NotImplemented"}, func(o *s3.Options) { o.Encryption = s3.SSEKMS }, "no KMS here"},
		{"ignored", &protector{}, func(o *s3.Options) { o.Encryption = s3.SSES3 }, `says "" of the object where it should say "AES256"`},
		{"another", &protector{says: "AES256"}, func(o *s3.Options) { o.Encryption = s3.SSEKMS }, `says "AES256"`},
		{"lock", &protector{}, func(o *s3.Options) { o.LockMode, o.LockDays = s3.Governance, 7 }, ""},
		{"no lock", &protector{unlocked: true}, func(o *s3.Options) { o.LockMode, o.LockDays = s3.Compliance, 7 }, "lock mode compliance in bucket bucket"},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.store.puts = map[string]http.Header{}
			server := httptest.NewServer(c.store)
			defer server.Close()
			o := options(server.URL)
			c.change(&o)
			b, err := s3.Open(t.Context(), o)
			if c.err != "" {
				require.ErrorIs(t, err, s3.ErrProtection)
				require.ErrorContains(t, err, c.err)
				require.NotErrorIs(t, err, artifact.ErrNotFound)
				return
			}
			require.NoError(t, err)
			file := filepath.Join(t.TempDir(), "f")
			require.NoError(t, os.WriteFile(file, []byte("bytes"), 0o600))
			require.NoError(t, b.PutFile(t.Context(), "blobs/sha256/ab/c", file))
			for _, key := range []string{"manifests/model/d.json", "aliases/a.json"} {
				_, err = b.Put(t.Context(), key, []byte("{}"), artifact.Condition{})
				require.NoError(t, err)
			}
			for key, h := range c.store.puts {
				if o.Encryption != "" {
					require.Equal(t, c.store.says, h.Get("X-Amz-Server-Side-Encryption"), key)
					require.Equal(t, o.KMSKey, h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"), key)
				}
				mode := ""
				if o.LockMode != "" && !strings.HasPrefix(key, "aliases/") {
					mode = "GOVERNANCE"
					until, err := time.Parse(time.RFC3339, h.Get("X-Amz-Object-Lock-Retain-Until-Date"))
					require.NoError(t, err)
					require.WithinDuration(t, time.Now().AddDate(0, 0, 7), until, time.Minute)
				}
				require.Equal(t, mode, h.Get("X-Amz-Object-Lock-Mode"), key)
			}
			require.Subset(t, c.store.deletes, map[bool][]string{true: {"gc/encryption"}, false: {}}[o.Encryption != ""])
		})
	}
}

func TestProtectionIsChecked(t *testing.T) {
	for want, change := range map[string]func(*s3.Options){
		`encryption "aes"`:                     func(o *s3.Options) { o.Encryption = "aes" },
		"KMS key: it is for":                   func(o *s3.Options) { o.Encryption, o.KMSKey = s3.SSES3, "x" },
		`lock mode "no"`:                       func(o *s3.Options) { o.LockMode, o.LockDays = "no", 1 },
		"lock mode and lock days: set both":    func(o *s3.Options) { o.LockMode = s3.Governance },
		"lock mode and lock days: set both or": func(o *s3.Options) { o.LockDays = 3 },
	} {
		o := options("127.0.0.1:1")
		change(&o)
		_, err := s3.Open(t.Context(), o)
		require.ErrorContains(t, err, want)
	}
}
