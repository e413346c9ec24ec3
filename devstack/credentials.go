package devstack

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
)

// keys are the S3 store's only credentials.
type keys struct {
	AccessKey string `json:"access_key"`
	SecretKey string `json:"secret_key"`
}

// loadKeys reads the credentials at path, or makes them on the first run. The file is
// for its owner only.
func loadKeys(path string) (keys, error) {
	body, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		// Text has 26 letters and digits, of which each carries 5 bits.
		k := keys{AccessKey: "TEMPER" + rand.Text()[:14], SecretKey: rand.Text() + rand.Text()[:14]}
		body, err := json.MarshalIndent(k, "", "  ")
		if err == nil {
			err = writeFile(path, append(body, '\n'), 0o600)
		}
		if err != nil {
			return keys{}, fmt.Errorf("write S3 credentials %s: %w", path, err)
		}
		return k, nil
	}
	if err != nil {
		return keys{}, fmt.Errorf("read S3 credentials: %w", err)
	}
	var k keys
	if err := json.Unmarshal(body, &k); err != nil || k.AccessKey == "" || k.SecretKey == "" {
		// What the parser says may quote the secret.
		return keys{}, fmt.Errorf("S3 credentials %s: want JSON with access_key and secret_key; remove the file for new ones", path)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return keys{}, fmt.Errorf("S3 credentials: %w", err)
	}
	return k, nil
}
